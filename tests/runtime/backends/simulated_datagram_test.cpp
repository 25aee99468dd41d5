// SPDX-License-Identifier: MIT
// UDP as the simulation has it: what Linux does, on the kernel too where no fault is injected. What users see
// of it is in tests/net/udp_test.cpp.
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
using leat::datagram;
using leat::simulation;
using leat::udp_socket;
using leat::testing::on_host;
using leat::testing::run_simulated;

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

LEAT_TEST("a stream's calls receive a datagram and send to the peer, and listen is refused") {
    auto server = udp_socket::bind({"127.0.0.1", 0});
    const open_socket client(AF_INET, SOCK_DGRAM);
    const std::int64_t nowhere = co_await send(client, "x");
    CHECK(nowhere == -EDESTADDRREQ);
    const std::int64_t connected = co_await connect(client, server.local_endpoint());
    CHECK(connected == 0);
    const std::int64_t sent = co_await send(client, "too long");
    CHECK(sent == 8);
    char room[3];
    const datagram cut = co_await server.recv_from(room);
    CHECK(cut.size == 3);
    CHECK(cut.truncated);
    const leat::endpoint here = cut.from;
    for (const std::string_view text : {"whole", ""}) {
        co_await server.send_to(text, here);
        const std::string heard = co_await received(client);
        CHECK(heard == text);
    }
    CHECK(calls().listen(client.number(), 1).error() == std::errc::operation_not_supported);
}

LEAT_TEST("a connected socket knows its peer by its address") {
    auto server = udp_socket::bind({"127.0.0.1", 0});
    auto client = udp_socket::bind({"127.0.0.1", 0});
    co_await client.connect(server.local_endpoint());
    sockaddr_storage name{};
    const auto size = calls().remote_address(client.native_handle(), name);
    REQUIRE(size.ok());
    CHECK(leat::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), *size) ==
          server.local_endpoint());
}

TEST_CASE("a socket that is bound to no address sends from that which leads to the receiver") {
    simulation world;
    leat::simulated_host& server_host = world.add_host("server", {"10.0.0.1", "fd00::1"});
    leat::simulated_host& client_host = world.add_host("client", {"10.0.0.2", "fd00::2"});
    leat::simulated_host& ipv4_host = world.add_host("IPv4 only", {"10.0.0.3"});
    run_simulated(world, [&]() -> leat::task<> {
        udp_socket server;
        co_await on_host(server_host, [&]() -> leat::task<> {
            server = udp_socket::bind({"::", 53}, {.dual_stack = true});
            co_return;
        });
        auto source_of = [&](leat::simulated_host& host, leat::endpoint own,
                             leat::endpoint to) -> leat::task<std::string> {
            auto client = co_await on_host(host, [&]() -> leat::task<udp_socket> {
                auto made = udp_socket::bind(own);
                co_return made;
            });
            const auto sent = co_await leat::as_result(client.send_to("x", to));
            if (!sent.ok()) {
                co_return sent.error().message();
            }
            CHECK(client.local_endpoint().address() == own.address());
            char room[1];
            const datagram got = co_await server.recv_from(room);
            CHECK(got.from.port() == client.local_endpoint().port());
            co_return got.from.address().to_string();
        };
        const std::string over_ipv4 = co_await source_of(client_host, {"0.0.0.0", 0}, {"10.0.0.1", 53});
        CHECK(over_ipv4 == "::ffff:10.0.0.2");
        const std::string over_ipv6 = co_await source_of(client_host, {"::", 0}, {"fd00::1", 53});
        CHECK(over_ipv6 == "fd00::2");
        const std::string at_home = co_await source_of(server_host, {"0.0.0.0", 0}, {"10.0.0.1", 53});
        CHECK(at_home == "::ffff:10.0.0.1");
        const std::string no_way = co_await source_of(ipv4_host, {"::", 0}, {"fd00::1", 53});
        CHECK(no_way == "Network is unreachable");
        const std::string nobody = co_await source_of(client_host, {"0.0.0.0", 0}, {"10.0.0.9", 53});
        CHECK(nobody == "Network is unreachable");
        const std::string from_home = co_await source_of(client_host, {"127.0.0.1", 0}, {"10.0.0.1", 53});
        CHECK(from_home == "Invalid argument");
    });
}

LEAT_TEST("operations on datagrams are none for a stream of the simulation", on(simulated)) {
    const open_socket stream(AF_INET, SOCK_STREAM);
    msghdr message{};
    for (const auto kind : {leat::operation_kind::recv_datagram, leat::operation_kind::send_datagram}) {
        call asked(kind, stream, &message, 0);
        const std::int64_t answer = co_await asked;
        CHECK(answer == -EOPNOTSUPP);
    }
}

LEAT_TEST("a socket without a name is given a port by what it sends first") {
    auto server = udp_socket::bind({"127.0.0.1", 0});
    const open_socket client(AF_INET, SOCK_DGRAM);
    leat::endpoint there = server.local_endpoint();
    char text[] = "x";
    iovec piece{text, 1};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(there.data());
    message.msg_namelen = there.size();
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    call sending(leat::operation_kind::send_datagram, client, &message, 0);
    const std::int64_t sent = co_await sending;
    CHECK(sent == 1);
    char room[1];
    const datagram got = co_await server.recv_from(room);
    CHECK(got.from.port() != 0);
    sockaddr_storage name{};
    const auto size = calls().local_address(client.number(), name);
    REQUIRE(size.ok());
    CHECK(leat::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), *size) ==
          leat::endpoint("0.0.0.0", got.from.port()));
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
                auto server = udp_socket::bind({"10.0.0.1", 53});
                for (;;) {
                    std::string text(10, ' ');
                    const auto got = co_await leat::move_on_after(1min, server.recv(text));
                    if (!got.has_value()) {
                        co_return;
                    }
                    numbers.push_back(std::stoi(text.substr(0, *got)));
                }
            });
        });
        co_await leat::yield();
        co_await on_host(client_host, [&]() -> leat::task<> {
            auto client = udp_socket::bind({"0.0.0.0", 0});
            for (int i = 0; i < 100; ++i) {
                co_await client.send_to(std::to_string(i), {"10.0.0.1", 53});
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
            auto server = udp_socket::bind({"127.0.0.1", 0});
            auto client = udp_socket::bind({"127.0.0.1", 0});
            co_await client.connect(server.local_endpoint());
            for (const std::string_view text : {"1111", "2222", "3333"}) {
                co_await client.send(text);
            }
            char room[4];
            for (const std::string_view kept : {"1111", "2222"}) {
                const std::size_t size = co_await server.recv(room);
                CHECK(std::string_view(room, size) == kept);
            }
            co_await client.send("4444");
            const std::size_t size = co_await server.recv(room);
            CHECK(std::string_view(room, size) == "4444");
        },
        {.receive_buffer = 8});
}
