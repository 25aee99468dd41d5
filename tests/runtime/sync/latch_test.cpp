// SPDX-License-Identifier: MIT
#include <leat/sync/latch.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

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
    std::vector<leat::handle<void>> tasks;
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
