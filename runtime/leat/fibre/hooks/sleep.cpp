// SPDX-License-Identifier: MIT
// nanosleep, clock_nanosleep, usleep, sleep: by the clock of the scheduler, which is virtual in a simulation.
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/poll_call.hpp>

namespace leat::detail {

namespace {

// 0, or ECANCELED. What is left of the time then goes to `left`.
int sleep_until_or_refused(time_point deadline, timespec* left) noexcept {
    const int before = errno;
    if (is_refused() || !is_ready(wait_for_time(deadline), 0)) {
        if (errno == ECANCELED) {
            const duration rest = std::max(duration::zero(), deadline - now());
            if (left != nullptr) {
                left->tv_sec = rest / std::chrono::seconds(1);
                left->tv_nsec = (rest % std::chrono::seconds(1)).count();
            }
            return ECANCELED;
        }
    }
    errno = before;
    return 0;
}

// 0, or an errno value.
int sleep_for(const timespec& time, timespec* left) noexcept {
    return is_time(time) ? sleep_until_or_refused(after(now(), length_of(time)), left) : EINVAL;
}

int fail(int error) noexcept {
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

}  // namespace

extern "C" {

int leat_nanosleep(const timespec* time, timespec* left) {
    if (!in_fibre()) [[likely]] {
        return real.nanosleep(time, left);
    }
    return fail(sleep_for(*time, left));
}

// Until a time of another clock than the scheduler's: as long as it is until then by that clock now.
int leat_clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
    if (!in_fibre() || !is_time(*time) || clock == CLOCK_PROCESS_CPUTIME_ID) [[likely]] {
        return real.clock_nanosleep(clock, flags, time, left);
    }
    if ((flags & TIMER_ABSTIME) == 0) {
        return sleep_for(*time, left);
    }
    timespec present{};
    if (::clock_gettime(clock, &present) != 0) {
        return errno;
    }
    return sleep_until_or_refused(after(now(), length_of(*time) - length_of(present)), nullptr);
}

int leat_usleep(useconds_t length) {
    if (!in_fibre()) [[likely]] {
        return real.usleep(length);
    }
    const timespec time{.tv_sec = length / 1'000'000, .tv_nsec = length % 1'000'000 * 1000L};
    return fail(sleep_for(time, nullptr));
}

// The seconds that are left of it, rounded up, when it is refused.
unsigned leat_sleep(unsigned seconds) {
    if (!in_fibre()) [[likely]] {
        return real.sleep(seconds);
    }
    const timespec time{.tv_sec = seconds, .tv_nsec = 0};
    timespec left{};
    return fail(sleep_for(time, &left)) == 0
               ? 0
               : static_cast<unsigned>(left.tv_sec) + (left.tv_nsec != 0 ? 1 : 0);
}

decltype(leat_clock_nanosleep) interposed_clock_nanosleep __asm__("clock_nanosleep")
    __attribute__((alias("leat_clock_nanosleep")));
decltype(leat_nanosleep) interposed_nanosleep __asm__("nanosleep") __attribute__((alias("leat_nanosleep")));
decltype(leat_sleep) interposed_sleep __asm__("sleep") __attribute__((alias("leat_sleep")));
decltype(leat_usleep) interposed_usleep __asm__("usleep") __attribute__((alias("leat_usleep")));
}

}  // namespace leat::detail
