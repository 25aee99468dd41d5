// SPDX-License-Identifier: MIT
#include <leat/fibre/hooks/core/descriptor_call.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/fibre.hpp>
#include <leat/fibre/hooks/core/real_calls.hpp>

#include <atomic>

#include <fcntl.h>
#include <sys/stat.h>

namespace leat::detail {

namespace {

// So many calls of this thread's fibres that needed not wait, one after the other, and the others have a
// turn: a peer that always has data, or a source that never ends, keeps nobody waiting.
constexpr int immediate_max = 32;
constinit thread_local int immediate = 0;

constexpr unsigned guesses_max = 15;

// How often a time limit may have changed. Two changes at once may count as one.
constinit std::atomic<unsigned> changed_limits = 1;

}  // namespace

void note_changed_limits() noexcept {
    changed_limits.store(changed_limits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

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

// Each time that a guess was right as many again follow it, and one more.
void descriptor_call::note_drained() noexcept {
    drained_descriptor& drained = this_fibre.running->drained();
    const unsigned guesses = drained.descriptor == fd_ ? 2U * drained.guesses + 1 : 1;
    drained = {.descriptor = fd_};
    drained.guesses = drained.guesses_left = static_cast<std::uint8_t>(std::min(guesses, guesses_max));
    looks_again_ = false;
}

void descriptor_call::stop_guessing() noexcept {
    this_fibre.running->drained() = {};
}

bool descriptor_call::wait_if_drained() noexcept {
    drained_descriptor& drained = this_fibre.running->drained();
    if (way_ == direction::out || drained.descriptor != fd_) {
        return true;
    }
    if (drained.guesses_left == 0) {
        looks_again_ = true;
        return true;
    }
    if (is_nonblocking(fd_)) {
        stop_guessing();
        return true;
    }
    --drained.guesses_left;
    blocks_ = true;
    const fibre_wait_end end = wait_to_try(fd_, event(), deadline());
    return end == fibre_wait_end::timed_out || is_ready(end, 0);  // what has come meanwhile is taken
}

time_point descriptor_call::deadline() noexcept {
    drained_descriptor& drained = this_fibre.running->drained();
    const bool is_drained = way_ == direction::in && drained.descriptor == fd_;
    const unsigned changes = changed_limits.load(std::memory_order_relaxed);
    if (!deadline_.has_value() && is_drained && drained.unlimited_since == changes) {
        deadline_ = never;
    }
    if (!deadline_.has_value()) {
        timeval limit{};
        socklen_t size = sizeof limit;
        const int option = way_ == direction::in ? SO_RCVTIMEO : SO_SNDTIMEO;
        const bool limited = ::getsockopt(fd_, SOL_SOCKET, option, &limit, &size) == 0 &&
                             (limit.tv_sec != 0 || limit.tv_usec != 0);
        deadline_ = limited ? after(now(), sum_of(std::chrono::seconds(limit.tv_sec),
                                                  std::chrono::microseconds(limit.tv_usec)))
                            : never;
        if (is_drained && !limited) {
            drained.unlimited_since = changes;
        }
    }
    return *deadline_;
}

bool descriptor_call::wait() noexcept {
    if (!blocks_ && is_nonblocking(fd_)) {
        errno = EAGAIN;
        return false;
    }
    if (way_ == direction::in && !blocks_) {
        note_drained();
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
