// SPDX-License-Identifier: MIT
// notify_ready and its like: tell the service manager that started this program how it is (sd_notify(3)), and
// keep its watchdog content. notify_ready() also tells daemon::start (daemon.hpp). Without a manager these do
// nothing, so a server calls them always. Any thread may call them.
//
//   leat::notify_ready();
//
// The protocol is one datagram of text to the socket that the environment variable NOTIFY_SOCKET names, so
// this is a few lines of our own, as in most servers: libsystemd would be the only dependency of the runtime
// that is not about I/O, and it loads a dozen more libraries.
#pragma once

#include <leat/clock.hpp>
#include <leat/task.hpp>

#include <optional>
#include <string_view>

#include <sys/types.h>

namespace leat {

// Each gives whether there is a service manager, and throws std::system_error naming its socket when that
// cannot be reached. They may block for a moment while the manager's queue is full, two seconds at most.

// READY=1: the program has started, or has read its configuration again. A worker of prefork() tells its
// supervisor instead, which tells when all are ready (prefork.hpp).
bool notify_ready();
// STOPPING=1: it has begun to end.
bool notify_stopping();
// RELOADING=1: it reads its configuration again; notify_ready() tells when it has done so.
bool notify_reloading();
// STATUS=: a line for people. Throws std::invalid_argument for a text of several lines.
bool notify_status(std::string_view text);
// MAINPID=: another process is the main one.
bool notify_main_pid(pid_t process);
// Any other assignments, separated by line breaks, such as "EXTEND_TIMEOUT_USEC=5000000".
bool notify(std::string_view assignments);

// How often the service manager wants to hear from this process (WATCHDOG_USEC and WATCHDOG_PID,
// sd_watchdog_enabled(3)); empty if it does not. Throws std::runtime_error for a variable that is no number.
[[nodiscard]] std::optional<duration> watchdog_interval();

// Sends WATCHDOG=1 at half of that interval, as long as it runs: the manager restarts a program whose loop
// hangs. Ends at once where no watchdog is wanted, else only cancelled: a ping that fails is followed by the
// next. Spawn it, once the program is ready.
[[nodiscard]] task<> keep_watchdog();

}  // namespace leat
