// SPDX-License-Identifier: MIT
#include <fetch/engine/rate_limit.hpp>

#include <fetch/engine/run.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

namespace {

using namespace std::chrono_literals;

// Pays for pieces of this size for so long; how many bytes that were.
leat::task<std::uint64_t> pay_for(fetch::rate_limit& rate, std::size_t piece, leat::duration length) {
    const leat::time_point end = leat::now() + length;
    std::uint64_t bytes = 0;
    while (leat::now() < end) {
        co_await rate.pay(piece);
        bytes += piece;
    }
    co_return bytes;
}

}  // namespace

LEAT_TEST("a rate is kept over time, whatever the pieces are", on(simulated)) {
    for (const std::size_t piece : {1'000U, 7'777U, 64'000U}) {
        fetch::rate_limit rate(100'000);
        const std::uint64_t bytes = co_await pay_for(rate, piece, 20s);
        CAPTURE(piece);
        CHECK(bytes >= 2'000'000);
        CHECK(bytes <= 2'000'000 + 10'000 + piece);
    }
}

LEAT_TEST("those who share a rate have the same part of it, with pieces of one size", on(simulated)) {
    fetch::rate_limit rate(100'000);
    auto one = leat::spawn(pay_for(rate, 5'000, 20s));
    auto other = leat::spawn(pay_for(rate, 5'000, 20s));
    const std::uint64_t first = co_await one;
    const std::uint64_t second = co_await other;
    CHECK(first + second <= 2'000'000 + 10'000 + 2 * 5'000);
    constexpr std::uint64_t burst_and_piece = 10'000 + 5'000;
    CHECK(first <= second + burst_and_piece);
    CHECK(second <= first + burst_and_piece);
}

LEAT_TEST("a rate that was not used is not saved up", on(simulated)) {
    fetch::rate_limit rate(100'000);
    co_await rate.pay(1);
    co_await leat::sleep(1h);
    const leat::time_point begin = leat::now();
    co_await rate.pay(100'000);
    CHECK(leat::now() - begin >= 1s - fetch::rate_limit::usual_burst);
}

LEAT_TEST("a burst comes at once, and then no more than the rate", on(simulated)) {
    for (const std::uint64_t burst : {50'000U, 1'000'000U}) {
        fetch::rate_limit rate(100'000, burst);
        co_await leat::sleep(1h);  // it is full
        const leat::time_point begin = leat::now();
        for (std::uint64_t paid = 0; paid < burst; paid += 10'000) {
            co_await rate.pay(10'000);
        }
        CHECK(leat::now() == begin);
        const std::uint64_t bytes = co_await pay_for(rate, 10'000, 20s);
        CHECK(bytes >= 2'000'000);
        CHECK(bytes <= 2'000'000 + 10'000);
    }
}

LEAT_TEST("without a limit nobody waits", on(simulated)) {
    fetch::rate_limit rate(0);
    const leat::time_point begin = leat::now();
    co_await rate.pay(SIZE_MAX);
    CHECK(leat::now() == begin);
}

TEST_CASE("fewer transfers run at once where their buffers would take too much memory") {
    fetch::settings how;
    CHECK(fetch::limits_of(how).transfers == how.limits.transfers);
    how.limits.memory = 3 * fetch::memory_of_transfer;
    CHECK(fetch::limits_of(how).transfers == 3);
    CHECK(fetch::limits_of(how).open == 3);
    how.limits.memory = 1;
    CHECK(fetch::limits_of(how).transfers == 1);
}
