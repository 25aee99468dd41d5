// SPDX-License-Identifier: MIT
// poll_call: a call of a fibre that asks whether descriptors are ready, such as poll or select. For the hooks
// beside this folder. It is tried with no time first; while nothing is ready the fibre waits, and it is tried
// again, since another fibre may have taken what was ready.
#pragma once

#include <leat/core/scheduler.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>

#include <csignal>
#include <ctime>

namespace leat::detail {

[[nodiscard]] inline bool is_time(const timespec& time) noexcept {
    return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
}

[[nodiscard]] inline duration length_of(const timespec& time) noexcept {
    return sum_of(std::chrono::seconds(time.tv_sec), std::chrono::nanoseconds(time.tv_nsec));
}

// When a call ends that nothing becomes ready for: long_ago where it does not wait at all.
[[nodiscard]] inline time_point deadline_in(duration length) noexcept {
    return length <= duration::zero() ? long_ago : after(now(), length);
}
[[nodiscard]] inline time_point deadline_in(const timespec* timeout) noexcept {
    return timeout == nullptr ? never : deadline_in(length_of(*timeout));
}

// The result of `attempt`, which gives 0 as long as nothing is ready; 0 at the deadline. `asked`: what is
// waited for. A signal that comes while it is tried ends it only if the call has a `mask`, which lets it in.
template <typename Attempt>
int until_ready(std::span<pollfd> asked, time_point deadline, const sigset_t* mask, Attempt attempt) {
    const int before = errno;
    if (is_refused()) {
        return -1;
    }
    const auto look = [&] {
        for (;;) {
            const int found = attempt();
            if (found >= 0 || errno != EINTR || mask != nullptr) [[likely]] {
                return found;
            }
        }
    };
    int ready = look();
    for (bool goes_on = deadline != long_ago; ready == 0 && goes_on;) {
        const fibre_wait_end end = wait_for_descriptors(asked, deadline);
        goes_on = is_ready(end, before);
        if (end == fibre_wait_end::refused) {
            return -1;
        }
        ready = look();
        if (ready == 0 && end == fibre_wait_end::closed) {
            errno = EBADF;
            return -1;
        }
    }
    if (ready >= 0) {
        errno = before;
    }
    return ready;
}

}  // namespace leat::detail
