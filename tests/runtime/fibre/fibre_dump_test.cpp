// SPDX-License-Identifier: MIT
// What dumps and deadlocks tell of tasks that wait in a blocking function.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>

#include <search.h>

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

LEAT_TEST("a dump names the calls that a blocking function waits in, also those of a C library", on(kernel)) {
    const socket_pair sockets;
    leat::testing::nursery tasks;
    tasks.spawn(blocking([&] {
        std::size_t count = 1;
        (void)::lfind(&sockets, &sockets, &count, 1, [](const void* key, const void* /*element*/) {
            char byte = 0;
            return static_cast<int>(::read(static_cast<const socket_pair*>(key)->near.get(), &byte, 1));
        });
    }));
    co_await leat::testing::wait_until_idle();
    const std::string dump = leat::dump_tasks();
    INFO(dump);
    CHECK(has(dump, "    in read\n"));
    CHECK(has(dump, "    in lfind\n"));
    CHECK(dump.find("    in read\n") < dump.find("    in lfind\n"));
    CHECK(!has(dump, "leat::detail"));
    const std::string json = leat::dump_tasks_json();
    INFO(json);
    CHECK(has(json, "\"native\":[\"read\","));
    CHECK(has(json, "\"lfind\""));
}

LEAT_TEST("a dump names the calls of each blocking function that a task waits in", on(kernel)) {
    const socket_pair sockets;
    leat::testing::nursery tasks;
    tasks.spawn(blocking([&] {
        await(blocking([&] {
            char byte = 0;
            return ::recv(sockets.near.get(), &byte, 1, 0);
        }));
    }));
    tasks.spawn(blocking([&] {
        char byte = 0;
        return ::recvfrom(sockets.near.get(), &byte, 1, 0, nullptr, nullptr);
    }));
    co_await leat::testing::wait_until_idle();
    const std::string dump = leat::dump_tasks();
    INFO(dump);
    CHECK(has(dump, "    in recv\n"));
    CHECK(has(dump, "    in recvfrom\n"));
}
