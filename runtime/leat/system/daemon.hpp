// SPDX-License-Identifier: MIT
// daemon: runs a program in the background, apart from terminal and session, as one that a pid file names;
// stops it, and tells whether it runs. For machines without a service manager: under systemd a program stays
// in the foreground (notify.hpp).
//
//   leat::daemon service({.pid_file = "mill.pid", .log_file = "mill.log"});
//   service.start([] { return leat::run_main(serve); });  // returns once serve() has called notify_ready()
//
// Invariant: who runs is told by a lock that the daemon holds on its pid file, not by the number in it.
#pragma once

#include <leat/clock.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace leat {

struct daemon_options {
    std::string_view pid_file;
    // Where standard output and error go, appended, and again at each SIGHUP (reopen_log_file()). What the
    // daemon writes until it is ready is kept in memory for start(), and is put into the log file when it is
    // ready or has failed. Empty: later output is dropped.
    std::string_view log_file = {};
    duration start_limit = std::chrono::seconds(90);  // a daemon that is not ready by then is stopped
    // What stop() gives the daemon to end after SIGTERM, before SIGKILL. serve() takes up to 8 s of it, and
    // prefork() 10.
    duration grace = std::chrono::seconds(15);
};

// The numbers are the exit statuses of a `status` command (Linux Standard Base, "init script actions").
enum class daemon_status {
    running = 0,
    dead = 1,  // but its pid file is there
    stopped = 3,
};

enum class daemon_end { was_not_running, ended, killed };

// Throws std::system_error naming the pid file or the log file when that cannot be used.
class daemon {
public:
    // Relative paths begin at the current directory, now: the daemon itself runs in "/".
    explicit daemon(const daemon_options& options);

    // Forks twice, and runs `program` in a new session: with "/" as its directory, umask 022, an empty
    // standard input, no signal blocked, SIGINT, SIGQUIT, SIGTERM and SIGCHLD as by default, a handler for
    // SIGHUP, and the pid file locked. It ends with the exit status that `program` returns, which must not
    // open the pid file (fcntl(2): closing it again would end the lock). No service manager is told of it:
    // NOTIFY_SOCKET and its like are the starter's. Here it returns what the daemon has written when it calls
    // notify_ready(). Throws std::runtime_error if it already runs; with what it has written if it ends
    // before it is ready; and if it is not ready in time, after it was stopped, as by stop(). Not inside
    // run(), and before any thread is started: the daemon would have neither. Descriptors above 2 are
    // inherited. A child process that `program` starts before it is ready, and that inherits its output, has
    // none from then on; workers of prefork() have.
    std::string start(const std::function<int()>& program);

    // SIGTERM, and SIGKILL to one that has not ended after `grace`; waits for its end. A pid file that is
    // left is removed. Throws std::system_error if it must not be signalled.
    daemon_end stop();

    [[nodiscard]] daemon_status status() const;
    // Of the daemon that runs; 0: none does.
    [[nodiscard]] pid_t process() const;

private:
    std::string pid_file_;
    std::string log_file_;
    duration start_limit_;
    duration grace_;
};

// In a daemon: opens the log file anew, after it was renamed. Done at SIGHUP, unless the program handles that
// signal itself, with a signal_set or a handler. Nothing without a log file. May be called by a signal
// handler.
void reopen_log_file() noexcept;

}  // namespace leat
