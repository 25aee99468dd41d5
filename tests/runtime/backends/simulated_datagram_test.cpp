// SPDX-License-Identifier: MIT
// UDP as the simulation has it: what Linux does, on the kernel too where no fault is injected.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/simulation.hpp>

#include "simulated_calls.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace simulated_tests;
using leat::simulation;
using leat::testing::on_host;
using leat::testing::run_simulated;

LEAT_TEST("a datagram arrives whole, at most once, and what does not fit is cut off") {
    const open_socket server(AF_INET, SOCK_DGRAM);
    const open_socket client(AF_INET, SOCK_DGRAM);
    const leat::endpoint there = bound(server, {"127.0.0.1", 0});
    const std::int64_t connected = co_await connect(client, there);
    CHECK(connected == 0);
    for (const std::string_view text : {"one", "", "three"}) {
        const std::int64_t sent = co_await send(client, text);
        CHECK(sent == std::ssize(text));
        const std::string whole = co_await received(server);
        CHECK(whole == text);
    }
    (void)co_await send(client, "too long");
    char room[3];
    const std::int64_t cut = co_await recv(server, room);
    CHECK(cut == 3);
    CHECK(std::string_view(room, 3) == "too");
    const bool more = co_await leat::move_on_after(1ms, leat::readable(server.number()));
    CHECK_FALSE(more);
}

LEAT_TEST("the pieces of one send are one datagram") {
    const open_socket server(AF_INET, SOCK_DGRAM);
    const open_socket client(AF_INET, SOCK_DGRAM);
    const leat::endpoint there = bound(server, {"127.0.0.1", 0});
    (void)co_await connect(client, there);
    char text[] = "abcdef";
    iovec pieces[] = {{text, 2}, {text + 2, 4}};
    call sending(leat::operation_kind::send_vectors, client, pieces, 2);
    const std::int64_t sent = co_await sending;
    CHECK(sent == 6);
    const std::string whole = co_await received(server);
    CHECK(whole == "abcdef");
}

LEAT_TEST("what is too long for a datagram, or has nowhere to go, is refused") {
    const open_socket server(AF_INET, SOCK_DGRAM);
    const open_socket client(AF_INET, SOCK_DGRAM);
    const leat::endpoint there = bound(server, {"127.0.0.1", 0});
    const std::int64_t nowhere = co_await send(client, "x");
    CHECK(nowhere == -EDESTADDRREQ);
    (void)co_await connect(client, there);
    const std::int64_t too_long = co_await send(client, std::string(65508, 'x'));
    CHECK(too_long == -EMSGSIZE);
    const std::string longest(65507, 'x');
    const std::int64_t fits = co_await send(client, longest);
    CHECK(fits == 65507);
    CHECK(calls().listen(client.number(), 1).error() == std::errc::operation_not_supported);
}

LEAT_TEST("a datagram to a port where nobody is fails the next call of its sender, once") {
    const open_socket client(AF_INET, SOCK_DGRAM);
    leat::endpoint there;
    {
        const open_socket gone(AF_INET, SOCK_DGRAM);
        there = bound(gone, {"127.0.0.77", 0});  // where no other program gets the port meanwhile
    }
    (void)co_await connect(client, there);
    const std::int64_t sent = co_await send(client, "anybody there?");
    CHECK(sent == 14);
    const std::string refused = co_await received(client);
    CHECK(refused == "errno " + std::to_string(ECONNREFUSED));
    const bool again = co_await leat::move_on_after(1ms, leat::readable(client.number()));
    CHECK_FALSE(again);
}

LEAT_TEST("a connected socket hears its peer only, which knows it by its address") {
    const open_socket server(AF_INET, SOCK_DGRAM);
    const open_socket client(AF_INET, SOCK_DGRAM);
    const open_socket stranger(AF_INET, SOCK_DGRAM);
    const leat::endpoint there = bound(server, {"127.0.0.1", 0});
    const leat::endpoint here = bound(client, {"127.0.0.1", 0});
    (void)co_await connect(client, there);
    (void)co_await connect(server, here);
    (void)co_await connect(stranger, there);
    (void)co_await send(stranger, "not for you");
    (void)co_await send(client, "for you");
    const std::string heard = co_await received(server);
    CHECK(heard == "for you");
    sockaddr_storage name{};
    const auto size = calls().remote_address(client.number(), name);
    REQUIRE(size.ok());
    CHECK(leat::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), *size) == there);
}

LEAT_TEST("a receiver that waits for a datagram is cancelled, and the next one gets it") {
    const open_socket server(AF_INET, SOCK_DGRAM);
    const open_socket client(AF_INET, SOCK_DGRAM);
    const leat::endpoint there = bound(server, {"127.0.0.1", 0});
    (void)co_await connect(client, there);
    const auto nothing = co_await leat::move_on_after(1ms, received(server));
    CHECK_FALSE(nothing.has_value());
    (void)co_await send(client, "late");
    const std::string heard = co_await received(server);
    CHECK(heard == "late");
}

namespace {

// What arrives of a hundred numbered datagrams from one host at another; and the course of it.
std::vector<int> arriving(const leat::simulation_options& how, const leat::simulated_link& link = {},
                          std::uint64_t* course = nullptr) {
    simulation world(how);
    leat::simulated_host& server_host = world.add_host("server", {"10.0.0.1"});
    leat::simulated_host& client_host = world.add_host("client", {"10.0.0.2"});
    world.set_link(server_host, client_host, link);
    std::vector<int> numbers;
    run_simulated(world, [&]() -> leat::task<> {
        auto receiving = leat::spawn([&]() -> leat::task<> {
            co_await on_host(server_host, [&]() -> leat::task<> {
                const open_socket server(AF_INET, SOCK_DGRAM);
                (void)bound(server, {"10.0.0.1", 53});
                for (;;) {
                    const auto text = co_await leat::move_on_after(1min, received(server));
                    if (!text.has_value()) {
                        co_return;
                    }
                    numbers.push_back(std::stoi(*text));
                }
            });
        });
        co_await leat::yield();
        co_await on_host(client_host, [&]() -> leat::task<> {
            const open_socket client(AF_INET, SOCK_DGRAM);
            (void)co_await connect(client, leat::endpoint("10.0.0.1", 53));
            for (int i = 0; i < 100; ++i) {
                const std::string text = std::to_string(i);
                (void)co_await send(client, text);
                co_await leat::sleep(1ms);
            }
        });
        co_await receiving;
    });
    if (course != nullptr) {
        *course = world.event_hash();
    }
    return numbers;
}

}  // namespace

TEST_CASE("datagrams are lost, doubled and overtaken as the faults and the link say") {
    const std::vector<int> all = arriving({});
    CHECK(all.size() == 100);
    CHECK(std::is_sorted(all.begin(), all.end()));
    const std::vector<int> some = arriving({.faults = {.lost_datagram = 0.5}});
    CHECK(some.size() > 20);
    CHECK(some.size() < 80);
    const std::vector<int> over_link = arriving({}, {.loss = 0.5});
    CHECK(over_link.size() > 20);
    CHECK(over_link.size() < 80);
    const std::vector<int> twice = arriving({.faults = {.twice = 1}});
    CHECK(twice.size() == 200);
    std::vector<int> mixed = arriving({.faults = {.overtaken = 0.5}});
    CHECK(mixed.size() == 100);
    CHECK_FALSE(std::is_sorted(mixed.begin(), mixed.end()));
    std::sort(mixed.begin(), mixed.end());
    CHECK(mixed == all);
}

TEST_CASE("the same seed loses the same datagrams, and another seed others") {
    const auto course_of = [](std::uint64_t seed) {
        std::uint64_t course = 0;
        const leat::simulated_faults faults{.late_start = 0.2,
                                            .late_completion = 0.2,
                                            .delay = 1ms,
                                            .latency = 5ms,
                                            .lost_datagram = 0.1,
                                            .twice = 0.1,
                                            .overtaken = 0.3};
        (void)arriving({.seed = seed, .faults = faults}, {.loss = 0.1}, &course);
        return course;
    };
    CHECK(course_of(5) == course_of(5));
    CHECK(course_of(5) != course_of(6));
}

TEST_CASE("datagrams that find no room are lost") {
    run_simulated(
        []() -> leat::task<> {
            const open_socket server(AF_INET, SOCK_DGRAM);
            const open_socket client(AF_INET, SOCK_DGRAM);
            const leat::endpoint there = bound(server, {"127.0.0.1", 0});
            (void)co_await connect(client, there);
            for (const std::string_view text : {"1111", "2222", "3333"}) {
                (void)co_await send(client, text);
            }
            const std::string first = co_await received(server);
            const std::string second = co_await received(server);
            CHECK(first == "1111");
            CHECK(second == "2222");
            (void)co_await send(client, "4444");
            const std::string next = co_await received(server);
            CHECK(next == "4444");
        },
        {.receive_buffer = 8});
}
