// SPDX-License-Identifier: MIT
// What a process that daemon::start or prefork() has made knows of itself, for notify_ready().
#pragma once

#include <leat/fd.hpp>

#include <string>

namespace leat::detail {

// Where a daemon writes until it is ready, and then: its log file, or memory of which nothing is kept.
struct daemon_output {
    int descriptor = -1;
    std::string log_file;  // absolute; empty: none
};

// From now on this process is a daemon, which tells on `ready`, a pipe, when it is ready. Opens its log file
// again at each SIGHUP.
void become_daemon_process(const daemon_output& output, int ready);

// From now on this process is a worker, which tells on `ready`, a pipe of all workers, when it is ready. In a
// daemon its output goes where that of the daemon goes.
void become_worker_process(fd ready) noexcept;
[[nodiscard]] bool is_worker_process() noexcept;

// Tells whoever has made this process, once, by its process id. Nothing in any other process, also not in a
// forked child of this one. Any thread may call it.
void tell_starter() noexcept;

}  // namespace leat::detail
