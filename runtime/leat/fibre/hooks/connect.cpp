// SPDX-License-Identifier: MIT
// connect, accept, accept4.
#include <leat/core/scheduler.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <algorithm>

#include <sys/ioctl.h>

namespace leat::detail {

namespace {

using namespace std::chrono_literals;

// connect(2) has no flag for it. Nothing else of this thread runs while O_NONBLOCK is set; another process
// with the same socket could see it.
int connect_without_waiting(int fd, const sockaddr* to, socklen_t size) {
    int on = 1;
    int off = 0;
    (void)::ioctl(fd, FIONBIO, &on);
    const int answer = real.connect(fd, to, size);
    const int error = errno;
    (void)::ioctl(fd, FIONBIO, &off);
    errno = error;
    return answer;
}

// A listener of a Unix socket whose queue is full tells nobody when there is room again: the call is tried
// again and again, less and less often.
bool wait_for_room(descriptor_call& call, duration& pause) noexcept {
    const time_point until = std::min(after(now(), pause), call.deadline());
    pause = std::min<duration>(2 * pause, 64ms);
    const fibre_wait_end end = wait_for_time(until);
    const bool late = now() >= call.deadline();
    return is_ready(end == fibre_wait_end::timed_out && !late ? fibre_wait_end::ready : end, EAGAIN);
}

int connect_waiting(int fd, const sockaddr* to, socklen_t size) {
    descriptor_call call(fd, direction::out);
    if (call.refused()) {
        return -1;
    }
    for (duration pause = 1ms;;) {
        const int answer = connect_without_waiting(fd, to, size);
        if (answer == 0) {
            return call.done(0);
        }
        if (errno == EINPROGRESS || errno == EALREADY) {
            break;
        }
        if (errno != EAGAIN || to->sa_family != AF_UNIX || !wait_for_room(call, pause)) {
            return -1;
        }
    }
    pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};  // SO_ERROR is 0 as long as it is under way, too
    if (!is_ready(wait_for_descriptors({&asked, 1}, call.deadline()), EINPROGRESS)) {
        return -1;
    }
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        return -1;
    }
    if (error != 0) {
        errno = error;
        return -1;
    }
    return call.done(0);
}

// The listener is asked immediately before each try, for another fibre may have been faster. Another process
// may be, too; such listeners are made non-blocking by their programs, or block the thread until the next
// client comes.
template <typename Accept>
int accept_waiting(int fd, Accept accept) {
    if (is_nonblocking(fd)) {
        return accept();
    }
    return try_until_ready(fd, direction::in, [&] {
        if (is_ready(fd, POLLIN)) {
            return accept();
        }
        errno = EAGAIN;
        return -1;
    });
}

}  // namespace

extern "C" {

int leat_connect(int fd, const sockaddr* to, socklen_t size) {
    if (!in_fibre()) [[likely]] {
        return real.connect(fd, to, size);
    }
    return is_nonblocking(fd) ? real.connect(fd, to, size) : connect_waiting(fd, to, size);
}

int leat_accept(int fd, sockaddr* from, socklen_t* size) {
    if (!in_fibre()) [[likely]] {
        return real.accept(fd, from, size);
    }
    return accept_waiting(fd, [=] { return real.accept(fd, from, size); });
}

int leat_accept4(int fd, sockaddr* from, socklen_t* size, int flags) {
    if (!in_fibre()) [[likely]] {
        return real.accept4(fd, from, size, flags);
    }
    return accept_waiting(fd, [=] { return real.accept4(fd, from, size, flags); });
}

decltype(leat_accept) interposed_accept __asm__("accept") __attribute__((alias("leat_accept")));
decltype(leat_accept4) interposed_accept4 __asm__("accept4") __attribute__((alias("leat_accept4")));
decltype(leat_connect) interposed_connect __asm__("connect") __attribute__((alias("leat_connect")));
}

}  // namespace leat::detail
