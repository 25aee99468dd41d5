// SPDX-License-Identifier: MIT
#include <leat/system/prefork.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/system/core/daemon_process.hpp>
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/supervisor.hpp>
#include <leat/threads/processors.hpp>

namespace leat::detail {

void worker_is_ready() noexcept {
    tell_starter();
}

void supervise(unsigned count, forked_program& program, const prefork_options& options) {
    check_may_fork();
    open_standard_streams();
    supervisor all(count != 0 ? count : usable_processors(), program, options);
    all.run();
}

}  // namespace leat::detail
