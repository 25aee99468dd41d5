// SPDX-License-Identifier: MIT
#include <fetch/views/report_rows.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

using namespace std::chrono_literals;

namespace {

fetch::report_row row_of_length(std::uint64_t number, leat::duration length, bool failed = false) {
    const leat::time_point begin{1h + std::chrono::milliseconds(number)};
    fetch::report_row row;
    row.number = number;
    row.state = failed ? fetch::transfer_state::failed : fetch::transfer_state::fetched;
    row.times.begin = begin;
    row.times.end = begin + length;
    return row;
}

}  // namespace

TEST_CASE("a run that is not longer than the limits is kept whole, in its order") {
    fetch::report_rows rows({.failed = 2, .slowest = 3, .sample = 4});
    for (const std::uint64_t number : {9U, 2U, 8U, 3U, 7U, 4U, 6U}) {
        rows.add(row_of_length(number, 1s * number));
    }
    rows.add(row_of_length(1, 0s, true));
    rows.add(row_of_length(5, 0s, true));
    CHECK(rows.left_out() == 0);
    std::uint64_t next = 1;
    for (const fetch::report_row& each : rows.take()) {
        CHECK(each.number == next++);
    }
    CHECK(next == 10);
}

TEST_CASE("of a long run the slowest, those that failed and a fair sample are kept") {
    fetch::report_rows rows({.failed = 50, .slowest = 100, .sample = 1000});
    for (std::uint64_t number = 0; number < 100'000; ++number) {
        const bool slow = number % 1000 == 7;
        rows.add(row_of_length(number, slow ? 1min : 1ms * (number % 100)));
        if (number % 1000 == 0) {
            rows.add(row_of_length(number, 1s, true));
        }
    }
    const std::vector<fetch::report_row> all = rows.take();
    CHECK(all.size() == 50 + 100 + 1000);
    CHECK(rows.left_out() == 100'000 + 100 - all.size());
    CHECK(std::count_if(all.begin(), all.end(), [](const auto& each) { return each.length() == 1min; }) ==
          100);
    // A fair sample has as many of the first half as of the second: 500 of 1000, give or take 5 deviations.
    const auto early = std::count_if(all.begin(), all.end(), [](const auto& each) {
        return each.state == fetch::transfer_state::fetched && each.length() < 1min && each.number < 50'000;
    });
    CHECK(early > 420);
    CHECK(early < 580);
}
