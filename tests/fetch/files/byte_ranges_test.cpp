// SPDX-License-Identifier: MIT
#include <fetch/files/byte_ranges.hpp>

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace {

using fetch::byte_range, fetch::byte_ranges;

using listed_ranges = std::vector<byte_range>;

}  // namespace

TEST_CASE("ranges that touch or overlap are one") {
    byte_ranges all;
    all.add({10, 20});
    all.add({30, 40});
    all.add({5, 5});
    CHECK(all.all() == listed_ranges{{10, 20}, {30, 40}});
    CHECK(all.prefix() == 0);
    CHECK(all.end() == 40);
    all.add({20, 30});
    CHECK(all.all() == listed_ranges{{10, 40}});
    all.add({0, 12});
    CHECK(all.prefix() == 40);
    all.add({50, 60});
    CHECK(all.count() == 50);
    CHECK(all.gaps(70).all() == listed_ranges{{40, 50}, {60, 70}});
    CHECK(all.gaps(45).all() == listed_ranges{{40, 45}});
    CHECK(byte_ranges().gaps(3).all() == listed_ranges{{0, 3}});
    CHECK(byte_ranges().gaps(0).empty());
}

TEST_CASE("ranges are cut where the file ends") {
    const listed_ranges told{{0, 10}, {20, 30}, {40, 50}};
    CHECK(byte_ranges(told, 25).all() == listed_ranges{{0, 10}, {20, 25}});
    CHECK(byte_ranges(told, 20).all() == listed_ranges{{0, 10}});
    CHECK(byte_ranges(told, 0).empty());
    CHECK(byte_ranges(told).all() == told);
    byte_ranges all(told);
    CHECK(all.take_first() == byte_range{0, 10});
    CHECK(all.all() == listed_ranges{{20, 30}, {40, 50}});
}

TEST_CASE("ranges hold what was added, in whatever order") {
    constexpr std::uint64_t file_end = 60;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        INFO("seed ", seed);
        std::mt19937 luck(seed);
        std::vector<bool> there(file_end);
        byte_ranges all;
        for (int i = 0; i < 12; ++i) {
            const std::uint64_t begin = luck() % file_end;
            const std::uint64_t end = begin + luck() % (std::min<std::uint64_t>(file_end - begin, 9) + 1);
            all.add({begin, end});
            std::fill(there.begin() + static_cast<long>(begin), there.begin() + static_cast<long>(end), true);
        }
        std::vector<bool> told(file_end);
        std::uint64_t least = 0;
        for (const byte_range& each : all.all()) {
            REQUIRE(each.begin < each.end);
            REQUIRE((each.begin > least || least == 0));
            least = each.end;
            std::fill(told.begin() + static_cast<long>(each.begin),
                      told.begin() + static_cast<long>(each.end), true);
        }
        CHECK((told == there));
        CHECK(all.count() + all.gaps(file_end).count() == file_end);
    }
}
