// SPDX-License-Identifier: MIT
#include <leat/core/timers.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace {

using leat::time_point;
using leat::timer;
using leat::timers;

time_point at(std::int64_t nanoseconds) {
    return time_point(leat::duration(nanoseconds));
}

struct alarm_clock : timer {
    alarm_clock() noexcept : timer([](timer&) noexcept {}) {}
};

// What expires at `now`, as indices into `all`.
std::vector<std::ptrdiff_t> expired(timers& armed, std::vector<alarm_clock>& all, time_point now) {
    std::vector<std::ptrdiff_t> order;
    while (timer* next = armed.expire(now)) {
        CHECK_FALSE(next->armed());
        order.push_back(static_cast<alarm_clock*>(next) - all.data());
    }
    return order;
}

}  // namespace

TEST_CASE("timers expire in the order of their deadlines") {
    timers armed;
    std::vector<alarm_clock> all(6);
    const std::int64_t deadlines[] = {50, 10, 40, 20, 60, 30};
    for (std::size_t i = 0; i < all.size(); ++i) {
        armed.arm(all[i], at(deadlines[i]));
    }
    CHECK(armed.next() == at(10));
    CHECK(expired(armed, all, at(60)) == std::vector<std::ptrdiff_t>{1, 3, 5, 2, 0, 4});
    CHECK(armed.empty());
    CHECK(armed.next() == leat::never);
}

TEST_CASE("timers with the same deadline expire in the order they were armed") {
    timers armed;
    std::vector<alarm_clock> all(100);
    for (std::size_t i = 0; i < all.size(); ++i) {
        armed.arm(all[(i * 37) % all.size()], at(5));
    }
    const auto order = expired(armed, all, at(5));
    REQUIRE(order.size() == all.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        CHECK(order[i] == static_cast<std::ptrdiff_t>((i * 37) % all.size()));
    }
}

TEST_CASE("a timer never expires before its deadline and does at it") {
    timers armed;
    std::vector<alarm_clock> all(1);
    armed.arm(all[0], at(100));
    CHECK(armed.expire(at(99)) == nullptr);
    CHECK(all[0].armed());
    CHECK(armed.expire(at(100)) == &all[0]);
}

TEST_CASE("a timer can be disarmed from any place") {
    for (std::size_t gone = 0; gone < 30; ++gone) {
        timers armed;
        std::vector<alarm_clock> all(30);
        for (std::size_t i = 0; i < all.size(); ++i) {
            armed.arm(all[i], at(static_cast<std::int64_t>(i * 7 % 30)));
        }
        armed.disarm(all[gone]);
        CHECK_FALSE(all[gone].armed());
        armed.disarm(all[gone]);
        CHECK(armed.size() == 29);
        const auto order = expired(armed, all, at(30));
        REQUIRE(order.size() == 29);
        for (std::size_t i = 1; i < order.size(); ++i) {
            CHECK(order[i - 1] * 7 % 30 < order[i] * 7 % 30);
        }
    }
}

TEST_CASE("postponing an armed timer leaves it in its place until that time passes") {
    timers armed;
    std::vector<alarm_clock> all(2);
    armed.arm(all[0], at(10));
    armed.arm(all[1], at(20));
    armed.arm(all[0], at(30));
    CHECK(armed.next() == at(10));
    CHECK(armed.expire(at(10)) == nullptr);
    CHECK(armed.next() == at(20));
    CHECK(expired(armed, all, at(30)) == std::vector<std::ptrdiff_t>{1, 0});
}

TEST_CASE("a timer that is armed for an earlier time expires at that time") {
    timers armed;
    std::vector<alarm_clock> all(2);
    armed.arm(all[0], at(50));
    armed.arm(all[1], at(20));
    armed.arm(all[0], at(10));
    CHECK(armed.next() == at(10));
    CHECK(expired(armed, all, at(10)) == std::vector<std::ptrdiff_t>{0});
}

TEST_CASE("a postponed timer can be pulled back to between its two deadlines") {
    timers armed;
    std::vector<alarm_clock> all(1);
    armed.arm(all[0], at(10));
    armed.arm(all[0], at(30));
    armed.arm(all[0], at(20));
    CHECK(armed.expire(at(19)) == nullptr);
    CHECK(armed.expire(at(20)) == &all[0]);
}

TEST_CASE("a postponed timer keeps its place among those with the same deadline") {
    timers armed;
    std::vector<alarm_clock> all(2);
    armed.arm(all[0], at(10));
    armed.arm(all[1], at(20));
    armed.arm(all[0], at(20));
    CHECK(expired(armed, all, at(20)) == std::vector<std::ptrdiff_t>{0, 1});
}

TEST_CASE("arming for never disarms, and what is armed for never does not expire") {
    timers armed;
    std::vector<alarm_clock> all(1);
    armed.arm(all[0], leat::never);
    CHECK_FALSE(all[0].armed());
    armed.arm(all[0], at(10));
    armed.arm(all[0], leat::never);
    CHECK_FALSE(all[0].armed());
    CHECK(armed.expire(leat::never) == nullptr);
}

TEST_CASE("a timer may be armed again as soon as it has expired") {
    timers armed;
    std::vector<alarm_clock> all(1);
    armed.arm(all[0], at(10));
    CHECK(armed.expire(at(15)) == &all[0]);
    armed.arm(all[0], at(15));
    CHECK(armed.expire(at(15)) == &all[0]);
}

// The model: deadline and order of arming -> timer. A postponed or advanced timer keeps its order.
TEST_CASE("100,000 random changes give what an ordered map gives") {
    timers armed;
    std::vector<alarm_clock> all(2000);
    std::vector<std::pair<std::int64_t, std::uint64_t>> key(all.size());
    std::map<std::pair<std::int64_t, std::uint64_t>, std::size_t> model;
    std::mt19937 random(20240607);
    std::int64_t now = 0;
    std::uint64_t order = 0;
    std::size_t mistakes = 0;
    for (int i = 0; i < 100'000; ++i) {
        const std::size_t which = random() % all.size();
        const bool was_armed = all[which].armed();
        switch (random() % 8) {
            case 0:
                armed.disarm(all[which]);
                model.erase(key[which]);
                break;
            case 1: {
                now += static_cast<std::int64_t>(random() % 40);
                while (timer* next = armed.expire(at(now))) {
                    const auto index = static_cast<std::size_t>(static_cast<alarm_clock*>(next) - all.data());
                    mistakes += model.empty() || model.begin()->second != index;
                    mistakes += next->deadline > at(now);
                    model.erase(key[index]);
                }
                mistakes += !model.empty() && model.begin()->first.first <= now;
                break;
            }
            default: {
                const std::int64_t deadline = now + static_cast<std::int64_t>(random() % 2000) - 100;
                if (was_armed) {
                    model.erase(key[which]);
                }
                key[which] = {deadline, was_armed ? key[which].second : order++};
                model[key[which]] = which;
                armed.arm(all[which], at(deadline));
                break;
            }
        }
        mistakes += armed.size() != model.size();
        mistakes += !model.empty() && armed.next() > at(model.begin()->first.first);
    }
    CHECK(mistakes == 0);
    CHECK(armed.size() > 0);
}

TEST_CASE("after a burst of timers their memory goes back, and those that are left expire in order") {
    timers armed;
    std::vector<alarm_clock> all(100'000);
    for (std::size_t i = 0; i < all.size(); ++i) {
        armed.arm(all[i], at(static_cast<std::int64_t>(i)));
    }
    CHECK(armed.room() >= all.size());
    for (std::size_t i = 0; i < all.size(); i += 2) {
        armed.disarm(all[i]);
    }
    CHECK(armed.room() >= all.size());  // half of it is in use
    CHECK(expired(armed, all, at(99'799)).size() == 49'900);
    CHECK(armed.size() == 100);
    CHECK(armed.room() <= 512);
    CHECK(armed.next() == at(99'801));
    CHECK(expired(armed, all, at(100'000)).size() == 100);
    CHECK(armed.room() <= 512);
    CHECK(armed.room() >= timers::room_kept);
}

TEST_CASE("room that is kept stays free whatever else is armed, and is no timer") {
    timers armed;
    {
        leat::timer_room first(armed);
        const leat::timer_room second(armed);
        CHECK(armed.empty());
        std::vector<alarm_clock> all(1'000);
        for (alarm_clock& each : all) {
            armed.arm(each, at(1));
            CHECK(armed.room() >= armed.size() + 2);
        }
        first.give_up();
        first.give_up();
        const std::size_t room = armed.room();
        alarm_clock last;
        armed.arm(last, at(2));
        CHECK(armed.room() == room);
        while (armed.expire(at(1)) != nullptr) {
            CHECK(armed.room() >= armed.size() + 1);
        }
        armed.disarm(last);
    }
    CHECK(armed.room() <= timers::room_kept * 2);
}

TEST_CASE("a few timers that come and go keep their memory") {
    timers armed;
    std::vector<alarm_clock> all(timers::room_kept);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            armed.arm(all[i], at(1));
        }
        const std::size_t room = armed.room();
        CHECK(expired(armed, all, at(1)).size() == all.size());
        CHECK(armed.room() == room);
    }
}
