// SPDX-License-Identifier: MIT
#include "virtual_kernel.hpp"

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/testing/doctest.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

leat::task<> note_after(leat::duration length, int name, std::vector<int>& log) {
    co_await leat::sleep(length);
    log.push_back(name);
}

leat::task<> note_twice(int name, std::vector<int>& log) {
    log.push_back(name);
    co_await leat::yield();
    log.push_back(name);
}

// Counts how often one that was not moved from has died.
class ending {
public:
    explicit ending(int& count) noexcept : count_(&count) {}
    ending(ending&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    ~ending() {
        if (count_ != nullptr) {
            ++*count_;
        }
    }

private:
    int* count_;
};

// `Wait` gives a wait. See detail::never_ready().
template <auto Wait>
leat::task<> empty_between_waits(int& ended) {
    const ending last(ended);
    std::optional<ending> held(std::in_place, ended);
    auto other = leat::spawn([]() -> leat::task<> { co_return; });
    co_await Wait();
    held.reset();
    co_await Wait();
}

leat::sleep_awaiter sleep_a_second() {
    return leat::sleep(1s);
}

leat::task<> task_that_yields() {
    co_await leat::yield();
}

leat::handle<> spawn_that_yields() {
    return leat::spawn(task_that_yields);
}

}  // namespace

LEAT_TEST("of two sleeps the shorter one ends first, and none ends early") {
    std::vector<int> log;
    const auto before = leat::now();
    auto two = leat::spawn(note_after, 2ms, 2, std::ref(log));
    auto one = leat::spawn(note_after, 1ms, 1, std::ref(log));
    co_await two;
    CHECK(leat::now() - before >= 2ms);
    CHECK(log == std::vector{1, 2});
    CHECK(one.done());
}

VIRTUAL_TEST("a sleep lasts exactly as long as asked when time is virtual") {
    const auto before = leat::now();
    co_await leat::sleep(1h);
    CHECK(leat::now() - before == 1h);
    co_await leat::sleep(std::chrono::duration<double>(0.25));
    CHECK(leat::now() - before == 1h + 250ms);
    co_await leat::sleep_until(before + 2h);
    CHECK(leat::now() - before == 2h);
}

VIRTUAL_TEST("sleeps that end at the same time end in the order they began") {
    std::vector<int> log;
    std::vector<leat::handle<>> all;
    for (int i = 0; i < 50; ++i) {
        all.push_back(leat::spawn(note_after, 1s, i, std::ref(log)));
    }
    co_await leat::sleep(2s);
    REQUIRE(log.size() == 50);
    CHECK(std::is_sorted(log.begin(), log.end()));
}

VIRTUAL_TEST("a sleep of zero, less than zero or until the past lets the others run and takes no time") {
    for (const auto length : {0s, -1s, std::chrono::seconds::min()}) {
        bool others = false;
        auto other = leat::spawn([&]() -> leat::task<> {
            others = true;
            co_return;
        });
        const auto before = leat::now();
        co_await leat::sleep(length);
        CHECK(others);
        CHECK(leat::now() == before);
    }
    const auto before = leat::now();
    co_await leat::sleep_until(before - 1h);
    co_await leat::sleep_until(leat::long_ago);
    CHECK(leat::now() == before);
}

VIRTUAL_TEST("a sleep longer than the clock, or until never, does not end by itself") {
    auto sleeper = leat::spawn([]() -> leat::task<> { co_await leat::sleep(std::chrono::hours::max()); });
    auto endless = leat::spawn([]() -> leat::task<> { co_await leat::sleep_until(leat::never); });
    co_await leat::sleep(1000000h);
    CHECK_FALSE(sleeper.done());
    CHECK_FALSE(endless.done());
    sleeper.cancel();
    endless.cancel();
    co_await sleeper.join();
    co_await endless.join();
    CHECK(sleeper.cancelled());
    CHECK(endless.cancelled());
}

LEAT_TEST("tasks that yield take turns in the order they were spawned") {
    std::vector<int> log;
    auto one = leat::spawn(note_twice, 1, std::ref(log));
    auto two = leat::spawn(note_twice, 2, std::ref(log));
    auto three = leat::spawn(note_twice, 3, std::ref(log));
    co_await three;
    CHECK(log == std::vector{1, 2, 3, 1, 2, 3});
}

VIRTUAL_TEST("a cancelled sleep leaves no timer behind") {
    auto& alarms = leat::current_scheduler().alarms();
    auto sleeper = leat::spawn([]() -> leat::task<> { co_await leat::sleep(1h); });
    co_await leat::yield();
    CHECK(alarms.size() == 1);
    sleeper.cancel();
    CHECK(alarms.empty());
    co_await sleeper.join();
    CHECK(sleeper.done());
}

VIRTUAL_TEST("a sleep may be stored and awaited again") {
    const auto before = leat::now();
    auto nap = leat::sleep_until(before + 1s);
    co_await nap;
    CHECK(leat::now() == before + 1s);
    co_await nap;
    CHECK(leat::now() == before + 1s);
}

LEAT_TEST("a checkpoint of a task that is not cancelled does not wait") {
    bool others = false;
    auto other = leat::spawn([&]() -> leat::task<> {
        others = true;
        co_return;
    });
    co_await leat::checkpoint();
    CHECK_FALSE(others);
    co_await other;
}

VIRTUAL_TEST("what a coroutine empties between two waits is empty after them") {
    int ended = 0;
    co_await empty_between_waits<leat::yield>(ended);
    CHECK(ended == 2);
    co_await empty_between_waits<sleep_a_second>(ended);
    CHECK(ended == 4);
    co_await empty_between_waits<task_that_yields>(ended);
    CHECK(ended == 6);
    co_await empty_between_waits<spawn_that_yields>(ended);
    CHECK(ended == 8);
}
