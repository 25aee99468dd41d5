// SPDX-License-Identifier: MIT
// What a process that daemon::start has made knows of itself, for notify_ready() and prefork().
#pragma once

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

// Tells daemon::start, once. Nothing in any other process, also not in a forked child of the daemon.
void tell_starter() noexcept;

// In a forked child of a daemon: the pipe is not its own. And when the child is ready: it has no output, as
// the daemon has none.
void forget_starter() noexcept;
void drop_startup_output() noexcept;

}  // namespace leat::detail
