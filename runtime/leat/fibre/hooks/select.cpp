// SPDX-License-Identifier: MIT
// select and pselect. A signal mask holds while the call is tried, not while the fibre waits.
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/poll_call.hpp>

#include <array>
#include <memory>
#include <optional>

namespace leat::detail {

namespace {

// The three sets of a select, each of which may be missing.
struct asked_sets {
    fd_set* reading;
    fd_set* writing;
    fd_set* excepting;
};

short events_of(const asked_sets& sets, int fd) noexcept {
    const auto has = [fd](const fd_set* set) { return set != nullptr && FD_ISSET(fd, set); };
    return static_cast<short>((has(sets.reading) ? POLLIN : 0) | (has(sets.writing) ? POLLOUT : 0) |
                              (has(sets.excepting) ? POLLPRI : 0));
}

// The same as a list for poll, in `list`, which has room for `size`.
std::size_t list_asked(const asked_sets& sets, int size, pollfd* list) noexcept {
    std::size_t count = 0;
    for (int fd = 0; fd < size; ++fd) {
        if (const short events = events_of(sets, fd)) {
            list[count++] = {.fd = fd, .events = events, .revents = 0};
        }
    }
    return count;
}

class kept_set {
public:
    explicit kept_set(fd_set* set) noexcept : set_(set) {
        if (set != nullptr) {
            kept_ = *set;
        }
    }
    void restore() const noexcept {
        if (set_ != nullptr) {
            *set_ = kept_;
        }
    }

private:
    fd_set* set_;
    fd_set kept_;
};

int select_waiting(int size, const asked_sets& sets, time_point deadline, const sigset_t* mask) {
    const kept_set reading(sets.reading);
    const kept_set writing(sets.writing);
    const kept_set excepting(sets.excepting);
    std::array<pollfd, FD_SETSIZE> list;  // as much of it as is asked for is touched
    const std::size_t count = list_asked(sets, size, list.data());
    return until_ready({list.data(), count}, deadline, mask, [&] {
        reading.restore();
        writing.restore();
        excepting.restore();
        constexpr timespec at_once{};
        return real.pselect(size, sets.reading, sets.writing, sets.excepting, &at_once, mask);
    });
}

bool fits(int size) noexcept {
    return size >= 0 && size <= FD_SETSIZE;
}

}  // namespace

extern "C" {

// As the kernel does, it leaves in `timeout` what is left of it. Sets that a program has made longer than
// FD_SETSIZE block.
int leat_select(int size, fd_set* reading, fd_set* writing, fd_set* excepting, timeval* timeout) {
    if (!in_fibre() || !fits(size) || (timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        [[likely]] {
        return real.select(size, reading, writing, excepting, timeout);
    }
    const auto length = timeout == nullptr ? duration::max()
                                           : sum_of(std::chrono::seconds(timeout->tv_sec),
                                                    std::chrono::microseconds(timeout->tv_usec));
    const time_point deadline = timeout == nullptr ? never : deadline_in(length);
    const int ready = select_waiting(size, {reading, writing, excepting}, deadline, nullptr);
    if (timeout != nullptr && deadline != long_ago) {
        const auto left = std::max(duration::zero(), deadline - now());
        timeout->tv_sec = left / std::chrono::seconds(1);
        timeout->tv_usec = left % std::chrono::seconds(1) / std::chrono::microseconds(1);
    }
    return ready;
}

int leat_pselect(int size, fd_set* reading, fd_set* writing, fd_set* excepting, const timespec* timeout,
                 const sigset_t* mask) {
    if (!in_fibre() || !fits(size) || (timeout != nullptr && !is_time(*timeout))) [[likely]] {
        return real.pselect(size, reading, writing, excepting, timeout, mask);
    }
    return select_waiting(size, {reading, writing, excepting}, deadline_in(timeout), mask);
}

decltype(leat_pselect) interposed_pselect __asm__("pselect") __attribute__((alias("leat_pselect")));
decltype(leat_select) interposed_select __asm__("select") __attribute__((alias("leat_select")));
}

}  // namespace leat::detail
