// SPDX-License-Identifier: MIT
#include <leat/system/core/orphan_watch.hpp>

#include <leat/core/thread_signals.hpp>
#include <leat/fd.hpp>
#include <leat/result.hpp>
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/process_start.hpp>

#include <thread>
#include <utility>

#include <signal.h>
#include <unistd.h>

namespace leat::detail {

namespace {

constexpr duration look_again = std::chrono::seconds(1);

void sleep_for(duration time) noexcept {
    (void)poll_until({}, after(monotonic_now(), time));
}

// It has another parent as soon as that one has ended.
void wait_for_end(const fd& process, pid_t parent) noexcept {
    while (::getppid() == parent) {
        (void)wait_readable(process.get(), never);
        if (::getppid() == parent) {  // the program has closed the descriptor, which is none of its own
            sleep_for(look_again);
        }
    }
}

}  // namespace

void end_with_parent(pid_t parent, duration grace) {
    fd process(open_pidfd(parent));
    if (!process && errno != ESRCH) {
        throw std::system_error(errno_code(errno), "wait for the end of the supervisor: pidfd_open");
    }
    const signals_blocked in_thread;
    try {
        std::thread([process = std::move(process), parent, grace] {
            wait_for_end(process, parent);
            ::kill(::getpid(), SIGTERM);
            sleep_for(grace);
            ::kill(::getpid(), SIGKILL);
        }).detach();
    } catch (const std::system_error& error) {
        throw std::system_error(error.code(), "start the thread that waits for the end of the supervisor");
    }
}

}  // namespace leat::detail
