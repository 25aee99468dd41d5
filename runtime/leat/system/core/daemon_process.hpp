// SPDX-License-Identifier: MIT
// What a process that daemon::start or prefork() has made knows of itself, for notify_ready().
#pragma once

#include <leat/fd.hpp>

#include <string>

namespace leat::detail {

// Where a daemon writes: into memory until it is ready, so that daemon::start gets what it has written and
// nothing else; then to its log file, or nowhere.
struct daemon_output {
    int memory = -1;
    int log = -1;          // open; -1: there is no log file
    std::string log_file;  // absolute
};

// From now on this process is a daemon, which tells on `ready`, a pipe, when it is ready. Opens its log file
// again at each SIGHUP.
void become_daemon_process(const daemon_output& output, int ready);

// In a daemon that is ready, or that ends without anybody to tell: what is in memory goes to the log file,
// and so does what comes from now on. In a worker the latter only.
void end_startup_output() noexcept;

// In daemon::start, for a daemon that has ended before it was ready.
void log_startup_output(int memory, int log) noexcept;

// From now on this process is a worker, which tells on `ready`, a pipe of all workers, when it is ready. In a
// daemon its output goes where that of the daemon goes.
void become_worker_process(fd ready) noexcept;
[[nodiscard]] bool is_worker_process() noexcept;

// Tells whoever has made this process, once, by its process id. Nothing in any other process, also not in a
// forked child of this one. Any thread may call it.
void tell_starter() noexcept;

}  // namespace leat::detail
