// SPDX-License-Identifier: MIT
// clock: the time that deadlines are written in. The library never reads it directly: time belongs to
// the backend (backend::now()), so a simulation can own it. Durations saturate instead of overflowing.
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
// duration_cast, which multiplies 64-bit counts: 5 hours in ticks of 1/3579545 s overflow there.)
template <typename Rep, typename Period>
[[nodiscard]] constexpr duration saturate(std::chrono::duration<Rep, Period> length) noexcept {
    using wide = std::chrono::duration<long double, std::nano>;
    if (wide(length) >= wide(duration::max())) {
        return duration::max();
    }
    if (!(wide(length) > wide::zero())) {
        return duration::zero();  // negative, or not a number
    }
    if constexpr (std::is_integral_v<Rep>) {
        __extension__ using wide_count = unsigned __int128;
        using factor = std::ratio_divide<Period, std::nano>;
        const auto whole = static_cast<wide_count>(length.count()) * factor::num / factor::den;
        return duration(static_cast<duration::rep>(whole));
    } else {
        return duration(static_cast<duration::rep>(wide(length).count()));
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
