// SPDX-License-Identifier: MIT
#include <leat/sync/latch.hpp>

#include "../virtual_kernel.hpp"
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;

VIRTUAL_TEST("a latch opens when it has been counted down, and stays open") {
    leat::latch latch(3);
    bool through = false;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        co_await latch.wait();
        through = true;
    });
    co_await leat::yield();
    latch.count_down(2);
    co_await leat::sleep(1s);
    CHECK(!through);
    latch.count_down();
    co_await waiter;
    CHECK(latch.is_open());
    co_await latch.wait();
}

VIRTUAL_TEST("a latch of zero is open, and a cancelled wait changes nothing") {
    leat::latch none(0);
    co_await none.wait();
    leat::latch one(1);
    const bool opened = co_await leat::move_on_after(1s, one.wait());
    CHECK(!opened);
    one.count_down();
    co_await one.wait();
}

VIRTUAL_TEST("a barrier lets tasks through in rounds, and one task of each is the last") {
    leat::barrier barrier(3);
    std::string log;
    int last = 0;
    std::vector<leat::handle<>> tasks;
    for (const char name : {'a', 'b', 'c'}) {
        tasks.push_back(leat::spawn([&, name]() -> leat::task<> {
            for (int round = 0; round < 3; ++round) {
                co_await leat::sleep(name == 'b' ? 2s : 1s);
                const bool was_last = co_await barrier.arrive_and_wait();
                last += was_last;
                log += static_cast<char>('0' + round);
            }
        }));
    }
    co_await leat::join_all(tasks);
    CHECK(log == "000111222");
    CHECK(last == 3);
}

VIRTUAL_TEST("one that is cancelled at a barrier has not arrived") {
    leat::barrier barrier(2);
    const bool alone =
        co_await leat::move_on_after(1s, [&]() -> leat::task<> { (void)co_await barrier.arrive_and_wait(); });
    CHECK(!alone);
    int through = 0;
    auto arrive = [&]() -> leat::task<> {
        (void)co_await barrier.arrive_and_wait();
        ++through;
    };
    auto a = leat::spawn(arrive);
    co_await leat::sleep(1s);
    CHECK(through == 0);
    auto b = leat::spawn(arrive);
    co_await leat::join_all(a, b);
    CHECK(through == 2);
}

LEAT_TEST("a barrier for one never waits") {
    leat::barrier barrier(1);
    const bool was_last = co_await barrier.arrive_and_wait();
    CHECK(was_last);
}

LEAT_SIMULATE("a latch opens with the last count, in any order, however many waits were cancelled",
              {.seeds = 200, .random_order = true}) {
    constexpr std::size_t counts = 6;
    leat::latch latch(counts);
    std::size_t counted = 0;
    std::size_t through = 0;
    auto waiters = spawn_several(6, [&](int) -> leat::task<> {
        bool opened = false;
        while (!opened) {
            opened = co_await leat::move_on_after(draw_moment() + 1ms, latch.wait());
            CHECK((!opened || counted == counts));
        }
        ++through;
    });
    auto counters = spawn_several(static_cast<int>(counts), [&](int) -> leat::task<> {
        co_await leat::sleep(20 * draw_moment());
        ++counted;
        latch.count_down();
        CHECK(latch.is_open() == (counted == counts));
    });
    co_await cancel_some(waiters);
    co_await leat::join_all(counters);
    co_await latch.wait();
    co_await leat::join_all(waiters);
    const auto ended = std::ranges::count_if(waiters, [](const auto& each) { return each.ok(); });
    CHECK(through == static_cast<std::size_t>(ended));
}

LEAT_SIMULATE(
    "each round of a barrier has all its parties and one last, in any order, without who was cancelled",
    {.seeds = 200, .random_order = true}) {
    const std::size_t parties = 1 + draw(4);
    leat::barrier barrier(parties);
    std::size_t passed = 0;
    std::size_t last = 0;
    auto tasks = spawn_several(6, [&](int) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            const auto arrived = co_await leat::move_on_after(draw_moment(), barrier.arrive_and_wait());
            passed += arrived.has_value() ? 1 : 0;
            last += arrived.value_or(false) ? 1 : 0;
            co_await leat::sleep(draw_moment());
        }
    });
    co_await cancel_some(tasks);
    co_await leat::join_all(tasks);
    CHECK(passed == parties * last);
}
