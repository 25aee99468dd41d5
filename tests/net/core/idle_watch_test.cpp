// SPDX-License-Identifier: MIT
// idle_watch: when it looks.
#include <leat/core/idle_watch.hpp>

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;

LEAT_TEST("connections that are watched from the same moment on are not all looked at in one turn",
          on(leat::testing::simulated)) {
    auto [client, server] = co_await leat::testing::stream_pair();
    auto handler = leat::spawn(leat::sleep(1h));
    co_await leat::yield();
    leat::timers& alarms = leat::current_scheduler().alarms();
    const std::size_t others = alarms.size();
    std::vector<std::unique_ptr<leat::detail::idle_watch>> watches;
    for (int count = 0; count < 3000; ++count) {
        auto& socket = *leat::detail::socket_access::of(server);
        watches.push_back(std::make_unique<leat::detail::idle_watch>(handler.state(), socket, 60s));
    }
    const leat::time_point first = alarms.next();
    co_await leat::sleep_until(first - leat::duration(1));
    int together = 0;
    while (leat::timer* const due = alarms.expire(first)) {
        due->expired(*due);
        ++together;
    }
    CHECK(together == 1);
    CHECK(alarms.size() == others + 3000);
    watches.clear();
    CHECK(alarms.size() == others);
    handler.cancel();
    co_await handler.join();
}
