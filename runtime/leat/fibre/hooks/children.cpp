// SPDX-License-Identifier: MIT
// wait, waitpid, wait4.
#include <leat/fd.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/poll_call.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>

namespace leat::detail {

namespace {

using namespace std::chrono_literals;

// A child that ends makes its pidfd readable. For any child of several, and for one that stops or goes on,
// there is no such thing: the call is tried again and again, less and less often.
pid_t wait_waiting(pid_t child, int* status, int options, rusage* used) noexcept {
    constexpr duration pause_max = 20ms;
    duration pause = 1ms;
    const bool only_ends = child > 0 && (options & (WUNTRACED | WCONTINUED)) == 0;
    const fd watched(only_ends ? static_cast<int>(::syscall(SYS_pidfd_open, child, 0)) : -1);
    const int before = errno;
    for (;;) {
        if (is_refused()) {
            return -1;
        }
        const pid_t ended = real.wait4(child, status, options | WNOHANG, used);
        if (ended != 0) {
            errno = ended > 0 ? before : errno;
            return ended;
        }
        const fibre_wait_end end =
            watched ? wait_to_try(watched.get(), POLLIN, never) : wait_for_time(after(now(), pause));
        if (!is_ready(end, 0) && end != fibre_wait_end::timed_out) {
            return -1;
        }
        pause = std::min(2 * pause, pause_max);
    }
}

}  // namespace

extern "C" {

pid_t leat_wait4(pid_t child, int* status, int options, rusage* used) noexcept {
    if (!in_fibre() || (options & WNOHANG) != 0) [[likely]] {
        return real.wait4(child, status, options, used);
    }
    return wait_waiting(child, status, options, used);
}

pid_t leat_waitpid(pid_t child, int* status, int options) {
    if (!in_fibre() || (options & WNOHANG) != 0) [[likely]] {
        return real.waitpid(child, status, options);
    }
    return wait_waiting(child, status, options, nullptr);
}

pid_t leat_wait(int* status) {
    return leat_waitpid(-1, status, 0);
}

decltype(leat_wait) interposed_wait __asm__("wait") __attribute__((alias("leat_wait")));
decltype(leat_wait4) interposed_wait4 __asm__("wait4") __attribute__((alias("leat_wait4")));
decltype(leat_waitpid) interposed_waitpid __asm__("waitpid") __attribute__((alias("leat_waitpid")));
}

}  // namespace leat::detail
