// SPDX-License-Identifier: MIT
#include <fetch/views/rate.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

namespace {

constexpr leat::time_point rate_begin{1h};

}  // namespace

TEST_CASE("a steady rate is known from the first moment, whatever the times of the samples") {
    fetch::smoothed_rate rate(5s, rate_begin, 1'000'000);
    CHECK_FALSE(rate.value().has_value());
    rate.add(1'000'000, rate_begin);
    CHECK_FALSE(rate.value().has_value());
    leat::time_point now = rate_begin;
    std::uint64_t amount = 1'000'000;
    for (const auto wait : {100ms, 100ms, 3000ms, 1ms, 70'000ms}) {
        now += wait;
        amount += static_cast<std::uint64_t>(wait.count()) * 20;
        rate.add(amount, now);
        CHECK(rate.value().value() == doctest::Approx(20'000));
    }
}

TEST_CASE("a rate follows a change within its span and does not jump with a burst") {
    fetch::smoothed_rate rate(5s, rate_begin);
    leat::time_point now = rate_begin;
    std::uint64_t amount = 0;
    const auto pass = [&](leat::duration length, std::uint64_t each_tick) {
        for (const auto end = now + length; now < end;) {
            now += 100ms;
            amount += each_tick;
            rate.add(amount, now);
        }
        return *rate.value();
    };
    CHECK(pass(30s, 100) == doctest::Approx(1000));
    CHECK(pass(100ms, 1000) < 1200);
    pass(30s, 100);
    const double later = pass(5s, 0);
    CHECK(later > 300);
    CHECK(later < 400);
    CHECK(pass(60s, 0) < 1);
    rate.add(0, now + 1s);  // it has begun again
    CHECK(*rate.value() >= 0);
}

TEST_CASE("what is left counts files of unknown size as large as the others") {
    fetch::run_totals totals{.begin = rate_begin};
    CHECK_FALSE(fetch::bytes_left(totals, {}).has_value());
    totals.jobs = 10;
    CHECK_FALSE(fetch::bytes_left(totals, {}).has_value());
    totals.begun = 2;
    totals.received = 300;
    // Two of 10 are under way: they have 1000 bytes each in this run, so the others have, too.
    CHECK(*fetch::bytes_left(totals, {.transfers = 2, .left = 1700}) == doctest::Approx(1700 + 8 * 1000));
    totals.begun = totals.fetched = 9;
    totals.received = 9000;
    CHECK(*fetch::bytes_left(totals, {}) == doctest::Approx(1000));
    totals.begun = 10;
    CHECK(*fetch::bytes_left(totals, {.transfers = 1, .left = 5}) == doctest::Approx(5));
    totals.kept = 1;
    CHECK(*fetch::bytes_left(totals, {}) == 0);
}
