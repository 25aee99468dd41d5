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
