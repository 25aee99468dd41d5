// SPDX-License-Identifier: MIT
// poll, ppoll, epoll_wait, epoll_pwait. A signal mask holds while the call is tried, not while the fibre
// waits.
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/poll_call.hpp>

#include <sys/epoll.h>

namespace leat::detail {

namespace {

time_point deadline_in_milliseconds(int timeout) noexcept {
    return timeout < 0 ? never : deadline_in(std::chrono::milliseconds(timeout));
}

constexpr timespec at_once{};

}  // namespace

extern "C" {

int leat_poll(pollfd* asked, nfds_t count, int timeout) {
    if (!in_fibre()) [[likely]] {
        return real.poll(asked, count, timeout);
    }
    return until_ready({asked, count}, deadline_in_milliseconds(timeout), nullptr,
                       [=] { return real.poll(asked, count, 0); });
}

int leat_ppoll(pollfd* asked, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    if (!in_fibre() || (timeout != nullptr && !is_time(*timeout))) [[likely]] {
        return real.ppoll(asked, count, timeout, mask);
    }
    return until_ready({asked, count}, deadline_in(timeout), mask,
                       [=] { return real.ppoll(asked, count, &at_once, mask); });
}

int leat_epoll_pwait(int epoll, epoll_event* events, int size, int timeout, const sigset_t* mask) {
    if (!in_fibre()) [[likely]] {
        return real.epoll_pwait(epoll, events, size, timeout, mask);
    }
    pollfd asked{.fd = epoll, .events = POLLIN, .revents = 0};
    return until_ready({&asked, 1}, deadline_in_milliseconds(timeout), mask,
                       [=] { return real.epoll_pwait(epoll, events, size, 0, mask); });
}

int leat_epoll_wait(int epoll, epoll_event* events, int size, int timeout) {
    if (!in_fibre()) [[likely]] {
        return real.epoll_wait(epoll, events, size, timeout);
    }
    return leat_epoll_pwait(epoll, events, size, timeout, nullptr);
}

decltype(leat_epoll_pwait) interposed_epoll_pwait __asm__("epoll_pwait")
    __attribute__((alias("leat_epoll_pwait")));
decltype(leat_epoll_wait) interposed_epoll_wait __asm__("epoll_wait")
    __attribute__((alias("leat_epoll_wait")));
decltype(leat_poll) interposed_poll __asm__("poll") __attribute__((alias("leat_poll")));
decltype(leat_ppoll) interposed_ppoll __asm__("ppoll") __attribute__((alias("leat_ppoll")));
}

}  // namespace leat::detail
