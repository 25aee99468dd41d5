// SPDX-License-Identifier: MIT
// What dumps and deadlocks tell of tasks that wait in a blocking function.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>

using namespace std::chrono_literals;
using namespace fibre_tests;
using leat::await;
using leat::blocking;

static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

LEAT_TEST("a dump names what a blocking function waits for", on(kernel)) {
    const socket_pair sockets;
    const socket_pair others;
    leat::testing::nursery tasks;
    tasks.spawn(blocking([&] { (void)blocking_get(sockets.near.get()); }));
    tasks.spawn(blocking([&] {
        std::array asked{pollfd{.fd = sockets.near.get(), .events = POLLIN, .revents = 0},
                         pollfd{.fd = others.near.get(), .events = POLLIN, .revents = 0}};
        (void)leat::detail::wait_for_descriptors(asked, leat::never);
    }));
    tasks.spawn(blocking([&] { (void)leat::detail::wait_for_time(leat::after(leat::now(), 1h)); }));
    constexpr int line = __LINE__ + 3;
    tasks.spawn(blocking([&] {
        // below the line that spawns it
        await(leat::sleep(2h));
    }));
    co_await leat::testing::wait_until_idle();
    const std::string dump = leat::dump_tasks();
    INFO(dump);
    CHECK(has(dump, "waits for readable on descriptor " + std::to_string(sockets.near.get())));
    CHECK(has(dump, "waits for poll"));
    CHECK(has(dump, "waits for sleep"));
    CHECK(has(dump, " at " + std::string(__FILE__) + ":" + std::to_string(line)));
}
