// SPDX-License-Identifier: MIT
#include <leat/system/prefork.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/system/core/daemon_process.hpp>
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/supervisor.hpp>
#include <leat/threads/processors.hpp>

#include <cstddef>

namespace leat::detail {

void worker_is_ready(int ready) noexcept {
    drop_startup_output();
    const std::byte told{1};
    (void)write_without_sigpipe(ready, {&told, 1});
}

void supervise(unsigned count, forked_program& program, const prefork_options& options) {
    check_may_fork();
    open_standard_streams();
    supervisor all(count != 0 ? count : usable_processors(), program, options);
    all.run();
}

}  // namespace leat::detail
