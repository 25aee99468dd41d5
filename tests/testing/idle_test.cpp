// SPDX-License-Identifier: MIT
// wait_until_idle and advance.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

#include "../crash/aborts.hpp"

using namespace std::chrono_literals;
using leat::testing::advance;
using leat::testing::wait_until_idle;

LEAT_TEST("wait_until_idle returns when every other task waits") {
    int steps = 0;
    leat::event go;
    const auto work = [&]() -> leat::task<> {
        for (int i = 0; i < 1000; ++i) {
            ++steps;
            co_await leat::yield();
        }
        co_await go.wait();
        ++steps;
    };
    auto one = leat::spawn(work);
    auto other = leat::spawn(work);
    co_await wait_until_idle();
    CHECK(steps == 2000);
    go.set();
    CHECK(steps == 2000);
    co_await wait_until_idle();
    CHECK(steps == 2002);
    CHECK(one.done());
    CHECK(other.done());
}

LEAT_TEST("wait_until_idle sees what has come for a task and what is due") {
    auto [client, server] = co_await leat::testing::stream_pair();
    std::string received;
    auto reader = leat::spawn([&peer = server, &received]() -> leat::task<> {
        while (auto chunk = co_await peer.recv_chunk()) {
            received += chunk.text();
        }
    });
    co_await wait_until_idle();
    CHECK(received.empty());
    client.close();
    co_await reader;
    co_await wait_until_idle();
    CHECK(received.empty());
}

LEAT_TEST("on a network without latency what was sent has arrived when all are idle",
          on(leat::testing::simulated)) {
    auto [client, server] = co_await leat::testing::stream_pair();
    std::string received;
    auto reader = leat::spawn([&peer = server, &received]() -> leat::task<> {
        while (auto chunk = co_await peer.recv_chunk()) {
            received += chunk.text();
        }
    });
    const leat::time_point before = leat::now();
    for (int i = 0; i < 10; ++i) {
        co_await client.send_all("word");
        co_await wait_until_idle();
        CHECK(received.size() == std::size_t(i + 1) * 4);
    }
    CHECK(leat::now() == before);
    client.close();
    co_await reader;
}

LEAT_TEST("all who wait for idleness are resumed, and one that is cancelled is not") {
    int resumed = 0;
    const auto waits = [&]() -> leat::task<> {
        co_await wait_until_idle();
        ++resumed;
    };
    auto one = leat::spawn(waits);
    auto cancelled = leat::spawn(waits);
    auto other = leat::spawn(waits);
    co_await leat::yield();
    cancelled.cancel();
    co_await leat::join_all(one, cancelled, other);
    CHECK(resumed == 2);
    CHECK(cancelled.cancelled());
    CHECK(one.ok());
    CHECK(other.ok());
}

LEAT_TEST("advance lets everything happen that is due by then, and no more", on(leat::testing::simulated)) {
    int ticks = 0;
    auto clock = leat::spawn([&]() -> leat::task<> {
        for (;;) {
            co_await leat::sleep(1s);
            ++ticks;
            co_await leat::yield();
            ++ticks;
        }
    });
    const leat::time_point before = leat::now();
    co_await advance(10s);
    CHECK(ticks == 20);
    CHECK(leat::now() - before == 10s);
    co_await advance(999ms);
    CHECK(ticks == 20);
    co_await advance(1ms);
    CHECK(ticks == 22);
    clock.cancel();
    co_await clock.join();
}

TEST_CASE("advance where time is real is misuse") {
    leat::testing::check_task_aborts([]() -> leat::task<> { co_await advance(1s); },
                                     "advance() is called in a simulation");
}
