// SPDX-License-Identifier: MIT
#include <leat/fibre/hooks/core/descriptor_call.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/fibre/hooks/core/real_calls.hpp>

#include <fcntl.h>
#include <sys/stat.h>

namespace leat::detail {

namespace {

// So many calls of this thread's fibres that needed not wait, one after the other, and the others have a
// turn: a peer that always has data, or a source that never ends, keeps nobody waiting.
constexpr int immediate_max = 32;
constinit thread_local int immediate = 0;

}  // namespace

bool is_nonblocking(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 || (flags & O_NONBLOCK) != 0;
}

bool is_file(int fd) noexcept {
    struct stat about{};
    return ::fstat(fd, &about) == 0 &&
           (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) || S_ISDIR(about.st_mode));
}

bool is_ready(int fd, short events) noexcept {
    pollfd asked{.fd = fd, .events = events, .revents = 0};
    return real.poll(&asked, 1, 0) > 0;  // a signal can interrupt it, and nothing is known then
}

bool is_ready(fibre_wait_end end, int late) noexcept {
    immediate = 0;
    switch (end) {
        case fibre_wait_end::ready:
            return true;
        case fibre_wait_end::timed_out:
            errno = late;
            return false;
        case fibre_wait_end::refused:
            errno = ECANCELED;
            return false;
        case fibre_wait_end::closed:
            errno = EBADF;
            return false;
    }
    return false;
}

bool is_refused() noexcept {
    if (++immediate >= immediate_max) [[unlikely]] {
        (void)is_ready(wait_for_time(long_ago), 0);  // one that is refused is refused again below
    }
    if (!this_thread.task->cancelled()) [[likely]] {
        return false;
    }
    const bool refused = refuse_call();
    if (refused) {
        errno = ECANCELED;
    }
    return refused;
}

// On a descriptor that does not block no turn is taken either: the handler of a signal may make such a call,
// while the function that it has interrupted may be anywhere, in malloc, too.
bool descriptor_call::refused() noexcept {
    const bool cancelled = this_thread.task->cancelled();
    if ((cancelled || immediate + 1 >= immediate_max) && is_nonblocking(fd_)) [[unlikely]] {
        return false;
    }
    if (cancelled && is_file(fd_)) [[unlikely]] {
        return false;
    }
    return is_refused();
}

time_point descriptor_call::deadline() noexcept {
    if (!deadline_.has_value()) {
        timeval limit{};
        socklen_t size = sizeof limit;
        const int option = way_ == direction::in ? SO_RCVTIMEO : SO_SNDTIMEO;
        const bool limited = ::getsockopt(fd_, SOL_SOCKET, option, &limit, &size) == 0 &&
                             (limit.tv_sec != 0 || limit.tv_usec != 0);
        deadline_ = limited ? after(now(), sum_of(std::chrono::seconds(limit.tv_sec),
                                                  std::chrono::microseconds(limit.tv_usec)))
                            : never;
    }
    return *deadline_;
}

bool descriptor_call::wait() noexcept {
    if (!blocks_ && is_nonblocking(fd_)) {
        errno = EAGAIN;
        return false;
    }
    blocks_ = true;
    return is_ready(wait_to_try(fd_, event(), deadline()), EAGAIN);
}

bool descriptor_call::wait_for_rest() noexcept {
    if (!blocks_ && is_nonblocking(fd_)) {
        return false;
    }
    blocks_ = true;
    pollfd asked{.fd = fd_, .events = event(), .revents = 0};
    return is_ready(wait_for_descriptors({&asked, 1}, deadline()), EAGAIN) &&
           (asked.revents & (POLLERR | POLLNVAL)) == 0;
}

}  // namespace leat::detail
