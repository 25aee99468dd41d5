// SPDX-License-Identifier: MIT
#include <fetch/engine/pieces.hpp>

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;

using fetch::byte_range, fetch::byte_ranges, fetch::pieces;

constexpr std::uint64_t mib = 1 << 20;
constexpr leat::time_point start = leat::time_point(1000s);

// The body of a file of 100 MiB, of which the first second has brought 1 MiB.
pieces slow_file(pieces::id& lead) {
    byte_ranges there;
    there.add({0, mib});
    pieces all(100 * mib, there);
    lead = all.begin({mib, 100 * mib}, start, mib);
    return all;
}

}  // namespace

TEST_CASE("what would take long is divided, and the half that would take longest next") {
    pieces::id lead = 0;
    pieces all = slow_file(lead);
    const auto second = all.take(start + 1s);
    REQUIRE(second);
    const byte_range half = all.left(*second);
    CHECK(half == byte_range{mib + 99 * mib / 2, 100 * mib});
    CHECK(all.left(lead) == byte_range{mib, half.begin});
    // As fast as the first one, for all that is known: the first of the two is as good.
    const auto third = all.take(start + 1s);
    REQUIRE(third);
    CHECK(all.left(*third).end == half.begin);
    const auto fourth = all.take(start + 1s);
    REQUIRE(fourth);
    CHECK(all.left(*fourth).end == half.end);
    // It has turned out to be the slowest.
    CHECK(all.accept(*third, 5 * mib) == 5 * mib);
    CHECK(all.accept(*fourth, 5 * mib) == 5 * mib);
    CHECK(all.accept(lead, 5 * mib) == 5 * mib);
    CHECK(all.accept(*second, 1) == 1);
    const std::uint64_t end = all.left(*second).end;
    const auto fifth = all.take(start + 3s);
    REQUIRE(fifth);
    CHECK(all.left(*fifth).end == end);
    CHECK(all.left(*second).end == all.left(*fifth).begin);
}

TEST_CASE("nothing is divided that is small, soon there, or of no known rate") {
    byte_ranges there;
    pieces fast(100 * mib, there);
    (void)fast.begin({0, 100 * mib}, start, 90 * mib);
    CHECK_FALSE(fast.take(start + 1s));
    CHECK_FALSE(fast.has_some(start + 1s));

    pieces small(mib - 1, there);
    (void)small.begin({0, mib - 1}, start, 0);
    CHECK_FALSE(small.take(start + 1h));

    pieces early(100 * mib, there);
    (void)early.begin({0, 100 * mib}, start, 1);
    CHECK_FALSE(early.take(start + 100ms));
    CHECK(early.has_some(start + 1s));

    pieces silent(100 * mib, there);
    (void)silent.begin({0, 100 * mib}, start, 0);
    CHECK(silent.take(start + 1s));
}

TEST_CASE("a piece keeps nothing behind its end, which may have come nearer") {
    pieces::id lead = 0;
    pieces all = slow_file(lead);
    const auto second = all.take(start + 1s);
    REQUIRE(second);
    const std::uint64_t own = all.left(lead).size();
    CHECK(all.accept(lead, own - 1) == own - 1);
    CHECK(all.accept(lead, 100) == 1);
    CHECK(all.accept(lead, 100) == 0);
    CHECK(all.left(lead).size() == 0);
}

TEST_CASE("what goes back is read on where a body has it, or is missing") {
    pieces::id lead = 0;
    pieces all = slow_file(lead);
    const auto second = all.take(start + 1s);
    REQUIRE(second);
    all.end(*second);
    CHECK(all.left(lead) == byte_range{mib, 100 * mib});

    // In whatever order they go back.
    for (const bool last_first : {false, true}) {
        const auto behind = all.take(start + 1s);
        const auto between = all.take(start + 1s);
        REQUIRE(between);
        all.end(last_first ? *behind : *between);
        all.end(last_first ? *between : *behind);
        CHECK(all.left(lead) == byte_range{mib, 100 * mib});
    }

    const auto third = all.take(start + 1s);
    REQUIRE(third);
    const byte_range half = all.left(*third);
    const auto fourth = all.take(start + 1s);  // of the first body
    REQUIRE(fourth);
    CHECK(all.accept(*third, 10) == 10);
    all.end(*third);  // the piece before it ends where it has begun, and the next byte is there
    const auto rest = all.take(start + 1s);
    REQUIRE(rest);
    CHECK(all.left(*rest) == byte_range{half.begin + 10, half.end});
    all.end(lead);
    const auto first = all.take(start + 1s);
    REQUIRE(first);
    CHECK(all.left(*first).begin == mib);
    CHECK_FALSE(all.is_whole());
}

TEST_CASE("a body is read up to what is there already") {
    byte_ranges there;
    there.add({0, 10});
    there.add({50, 60});
    pieces all(100, there);
    const auto lead = all.begin({10, 100}, start, 0);
    CHECK(all.left(lead) == byte_range{10, 50});
    const auto other = all.take(start);
    REQUIRE(other);
    CHECK(all.left(*other) == byte_range{60, 100});
    CHECK(all.accept(lead, 40) == 40);
    CHECK(all.accept(*other, 40) == 40);
    all.end(lead);
    CHECK_FALSE(all.is_whole());
    all.end(*other);
    CHECK(all.is_whole());
}

TEST_CASE("whatever connections do, each byte is accepted once") {
    constexpr std::uint64_t file_end = 3000;
    for (unsigned seed = 1; seed <= 500; ++seed) {
        INFO("seed ", seed);
        std::mt19937 luck(seed);
        const auto below = [&](std::uint64_t end) { return luck() % end; };
        byte_ranges there;
        std::vector<int> times(file_end, 0);
        for (std::uint64_t i = below(4); i > 0; --i) {
            const std::uint64_t begin = below(file_end);
            there.add({begin, begin + below(file_end - begin)});
        }
        for (const byte_range& each : there.all()) {
            std::fill(times.begin() + static_cast<long>(each.begin),
                      times.begin() + static_cast<long>(each.end), 1);
        }
        pieces all(file_end, there, {.least_size = 1 + below(100), .least_time = 10ms, .measured = 20ms});
        leat::time_point now = start;
        std::vector<pieces::id> workers;
        if (there.gaps(file_end).count() > 0) {
            workers.push_back(
                all.begin({there.prefix(), file_end - below(file_end - there.prefix())}, now, 0));
        }
        for (int steps = 0; !all.is_whole(); ++steps) {
            REQUIRE(steps < 100'000);
            now += std::chrono::milliseconds(below(30));
            const bool promised = all.has_some(now);
            if (workers.size() < 5 && (workers.empty() || below(3) == 0)) {
                const auto taken = all.take(now);
                CHECK(taken.has_value() == promised);
                if (taken) {
                    workers.push_back(*taken);
                }
            }
            if (workers.empty()) {
                continue;
            }
            const std::size_t at = below(workers.size());
            const pieces::id one = workers[at];
            const std::uint64_t from = all.left(one).begin;
            const std::size_t kept = all.accept(one, below(80));
            for (std::uint64_t byte = from; byte < from + kept; ++byte) {
                ++times[byte];
            }
            if (all.left(one).size() == 0 || below(20) == 0) {
                all.end(one);
                workers.erase(workers.begin() + static_cast<long>(at));
            }
        }
        CHECK((times == std::vector<int>(file_end, 1)));
    }
}
