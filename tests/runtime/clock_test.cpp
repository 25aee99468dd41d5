// SPDX-License-Identifier: MIT
#include <leat/clock.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace std::chrono_literals;

namespace {

constexpr leat::time_point start{leat::duration(1'000)};

}  // namespace

TEST_CASE("a deadline lies its duration after the start, in any unit") {
    CHECK(leat::after(start, 1s).time_since_epoch() == 1'000'001'000ns);
    CHECK(leat::after(start, 2ns).time_since_epoch() == 1'002ns);
    CHECK(leat::after(start, std::chrono::duration<double>(0.5)).time_since_epoch() == 500'001'000ns);
    CHECK(leat::after(start, std::chrono::duration<double, std::milli>(1.5)).time_since_epoch() ==
          1'501'000ns);
}

TEST_CASE("a negative duration counts as zero") {
    CHECK(leat::after(start, -1ns) == start);
    CHECK(leat::after(start, std::chrono::hours::min()) == start);
    CHECK(leat::after(start, std::chrono::duration<double>(-1e300)) == start);
    CHECK(leat::saturate(leat::duration::min()) == 0ns);
}

TEST_CASE("a duration that is not a number counts as zero") {
    const std::chrono::duration<double> not_a_number(std::numeric_limits<double>::quiet_NaN());
    CHECK(leat::saturate(not_a_number) == 0ns);
    CHECK(leat::after(start, not_a_number) == start);
}

TEST_CASE("a duration beyond the clock becomes the largest one") {
    CHECK(leat::saturate(std::chrono::hours::max()) == leat::duration::max());
    CHECK(leat::saturate(std::chrono::duration<double>(std::numeric_limits<double>::infinity())) ==
          leat::duration::max());
    CHECK(leat::saturate(leat::duration::max()) == leat::duration::max());
    CHECK(leat::saturate(leat::duration::max() - 1ns) == leat::duration::max() - 1ns);
}

TEST_CASE("a deadline beyond the end of the clock never passes") {
    CHECK(leat::after(start, leat::duration::max()) == leat::never);
    CHECK(leat::after(start, std::chrono::years(1000)) == leat::never);
    CHECK(leat::after(leat::time_point{}, leat::duration::max()) == leat::never);
    CHECK(leat::after(leat::never, 1ns) == leat::never);
    CHECK(leat::after(leat::never - 1ns, 1ns) == leat::never);
    CHECK(leat::after(leat::never - 2ns, 1ns) == leat::never - 1ns);
}

TEST_CASE("a start before the clock's zero overflows nothing") {
    const leat::time_point early{leat::duration(-1'000)};
    CHECK(leat::after(early, 1us) == leat::time_point{});
    CHECK(leat::after(early, leat::duration::max()) == leat::never - 1us);
    CHECK(leat::after(leat::long_ago, 0s) == leat::long_ago);
    CHECK(leat::after(leat::long_ago, leat::duration::max()) < leat::never);
}

TEST_CASE_TEMPLATE("five hours are five hours in ticks of any length", Period, std::ratio<1, 3'579'545>,
                   std::ratio<1, 32'768>, std::ratio<1, 90'000>, std::ratio<1, 44'100>,
                   std::ratio<1, 1'000'000'000'000>, std::ratio<1, 1'000'000'007>, std::ratio<1001, 30'000>,
                   std::nano, std::micro, std::ratio<1>, std::ratio<60>, std::ratio<86'400, 24>) {
    // As many whole ticks as fit into five hours: less than one is missing.
    const auto hours = std::chrono::duration<long double>(5h);
    const long double tick = static_cast<long double>(Period::num) / Period::den;
    const auto ticks = static_cast<std::int64_t>(hours.count() / tick);
    const std::chrono::duration<std::int64_t, Period> counted(ticks);
    CHECK(leat::saturate(counted) <= 5h);
    CHECK(leat::saturate(counted) > 5h - std::chrono::duration<long double>(tick) - 2ns);
    CHECK(leat::saturate(std::chrono::duration<std::uint64_t, Period>(static_cast<std::uint64_t>(ticks))) ==
          leat::saturate(counted));
    CHECK(leat::saturate(-counted) == 0ns);
    const std::chrono::duration<double, Period> real(static_cast<double>(ticks));
    CHECK(leat::saturate(real) > 5h - std::chrono::duration<long double>(tick) - 10us);
    CHECK(leat::saturate(real) < 5h + 10us);
    CHECK(leat::saturate(std::chrono::duration<int, Period>(0)) == 0ns);
    CHECK(
        leat::saturate(std::chrono::duration<std::int64_t, std::ratio_multiply<Period, std::kilo>>::max()) <=
        leat::duration::max());
}

TEST_CASE("ticks that divide a second evenly are exact") {
    using pm_timer = std::chrono::duration<std::int64_t, std::ratio<1, 3'579'545>>;
    CHECK(leat::saturate(pm_timer(std::int64_t{3'579'545} * 5 * 3600)) == 5h);
    CHECK(leat::after(start, pm_timer(std::int64_t{3'579'545} * 5 * 3600)) == start + 5h);
    using video = std::chrono::duration<std::int64_t, std::ratio<1, 90'000>>;
    CHECK(leat::saturate(video(std::int64_t{90'000} * 3600 * 24 * 365 * 100)) == 24h * 365 * 100);
    CHECK(leat::saturate(std::chrono::duration<std::int64_t, std::atto>::max()) == 9'223'372'036ns);
}

TEST_CASE("a period may be longer than the clock lasts, and shorter than its tick") {
    using giga_years = std::chrono::duration<std::int64_t, std::ratio<31'556'952'000'000'000>>;
    CHECK(leat::saturate(giga_years(0)) == 0ns);
    CHECK(leat::saturate(giga_years(1)) == leat::duration::max());
    CHECK(leat::after(start, giga_years::max()) == leat::never);
    CHECK(leat::after(start, giga_years::min()) == start);
    CHECK(leat::saturate(std::chrono::duration<double, std::exa>(1e-18)) == 1s);
    CHECK(leat::saturate(std::chrono::duration<int, std::exa>(1)) == leat::duration::max());
    CHECK(leat::saturate(std::chrono::duration<std::int64_t, std::atto>(1)) == 0ns);
}

TEST_CASE("around the largest duration nothing turns negative") {
    // The numbers of ticks around the end of the clock, in periods that no long double holds exactly.
    using two_thirds = std::chrono::duration<std::uint64_t, std::ratio<1, 1'500'000'001>>;
    using odd = std::chrono::duration<std::uint64_t, std::ratio<1'000'003, 999'999'937>>;
    const auto check_around = [](auto ticks_at_the_end) {
        using ticks = decltype(ticks_at_the_end);
        leat::duration last{};
        for (std::uint64_t count = ticks_at_the_end.count() - 1000; count < ticks_at_the_end.count() + 1000;
             ++count) {
            const leat::duration now = leat::saturate(ticks(count));
            CHECK(now >= last);
            last = now;
        }
        CHECK(last == leat::duration::max());
    };
    check_around(two_thirds(13'835'058'064'505'535'747U));
    check_around(odd(9'223'343'785'750U));
}
