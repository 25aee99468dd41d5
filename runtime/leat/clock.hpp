// SPDX-License-Identifier: MIT
// clock: the time that deadlines are written in. The library never reads the system's clock: time comes from
// the backend (backend::now()), so in a simulation it is virtual. Durations saturate instead of overflowing.
#pragma once

#include <chrono>
#include <ratio>
#include <type_traits>

namespace leat {

using duration = std::chrono::nanoseconds;

// CLOCK_MONOTONIC, as a chrono clock without now(): ask leat::now().
struct clock {
    using duration = leat::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock, duration>;
    static constexpr bool is_steady = true;
};

using time_point = clock::time_point;

// A deadline that never passes, and one that has always passed.
inline constexpr time_point never = time_point::max();
inline constexpr time_point long_ago = time_point::min();

// Any chrono duration in nanoseconds, rounded down; what does not fit becomes the largest one that does. (Not
// duration_cast, which multiplies 64-bit counts: 5 hours in ticks of 1/3579545 s overflow there. And no ratio
// of the two periods is made: that of a billion years to a nanosecond has no 64-bit numerator.)
template <typename Rep, typename Period>
[[nodiscard]] constexpr duration saturate(std::chrono::duration<Rep, Period> length) noexcept {
    constexpr auto most = duration::max().count();
    const auto about =
        static_cast<long double>(length.count()) * Period::num * std::nano::den / Period::den;  // rounded
    if (!(about > 0)) {
        return duration::zero();  // negative, or not a number
    }
    if (about >= static_cast<long double>(most)) {
        return duration::max();
    }
    if constexpr (std::is_integral_v<Rep>) {
        __extension__ using wide = unsigned __int128;  // fits: the result does not exceed 64 bits
        const auto whole =
            static_cast<wide>(length.count()) * wide{Period::num} * wide{std::nano::den} / wide{Period::den};
        return whole < static_cast<wide>(most) ? duration(static_cast<duration::rep>(whole))
                                               : duration::max();
    } else {
        return duration(static_cast<duration::rep>(about));
    }
}

// `start` + `length`; `never` when the sum lies beyond it. A negative length counts as zero.
template <typename Rep, typename Period>
[[nodiscard]] constexpr time_point after(time_point start,
                                         std::chrono::duration<Rep, Period> length) noexcept {
    const duration wait = saturate(length);
    return start.time_since_epoch() > duration::zero() && wait >= never - start ? never : start + wait;
}

}  // namespace leat
