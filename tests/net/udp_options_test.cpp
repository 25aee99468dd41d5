// SPDX-License-Identifier: MIT
// Datagram sockets of all kinds: families, options, shared ports, those that are taken over.
#include "datagrams.hpp"

#include <leat/testing/doctest.hpp>

#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace std::chrono_literals;
using namespace datagram_tests;
using leat::datagram;
using leat::udp_socket;

namespace {

int option(const udp_socket& socket, int level, int name) {
    int value = -1;
    auto& sockets = leat::current_scheduler().io().sockets();
    const auto size =
        sockets.option(socket.native_handle(), level, name, std::as_writable_bytes(std::span(&value, 1)));
    CHECK(size.ok());
    return value;
}

}  // namespace

LEAT_TEST("datagrams go over IPv6, and over IPv4 through it where a socket allows that") {
    std::error_code refused;
    try {
        (void)udp_socket::bind({"::1", 0});
    } catch (const std::system_error& error) {
        refused = error.code();
    }
    if (refused) {
        MESSAGE("skipped: there is no IPv6 here: " << refused.message());
        co_return;
    }
    auto server = udp_socket::bind({"::", 0}, {.dual_stack = true});
    const int port = server.local_endpoint().port();
    auto echoing = leat::spawn(echo, std::ref(server));
    auto six = udp_socket::bind({"::1", 0});
    co_await six.send_to("six", {"::1", port});
    const std::string over_six = co_await received(six);
    CHECK(over_six == "six");
    auto four = on_loopback();
    co_await four.send_to("four", {"127.0.0.1", port});
    const std::string over_four = co_await received(four);
    CHECK(over_four == "four");
    echoing.cancel();
    co_await echoing.join();
    co_await server.send_to("by its name of IPv4", four.local_endpoint());
    const std::string by_name = co_await received(four);
    CHECK(by_name == "by its name of IPv4");
    auto only_six = udp_socket::bind({"::", 0});
    const auto sent = co_await leat::as_result(only_six.send_to("x", four.local_endpoint()));
    CHECK(sent.error() == std::errc::network_unreachable);
}

LEAT_TEST("datagram sockets share a port when all say so, and each sender is heard by one of them") {
    std::vector<udp_socket> servers;
    servers.push_back(udp_socket::bind({"127.0.0.1", 0}, {.reuse_port = true}));
    const leat::endpoint shared = servers[0].local_endpoint();
    servers.push_back(udp_socket::bind(shared, {.reuse_port = true}));
    std::string what;
    try {
        (void)udp_socket::bind(shared);
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::address_in_use);
        what = error.what();
    }
    CHECK(what == "bind to " + shared.to_string() + ": Address already in use");
    for (int number = 0; number < 10; ++number) {
        auto client = on_loopback();
        co_await client.send_to("first", shared);
        const auto first = co_await leat::race(received(servers[0]), received(servers[1]));
        const bool by_second = std::get<1>(first).has_value();
        CHECK(std::get<0>(first).has_value() != by_second);
        co_await client.send_to("again", shared);
        const std::string again = co_await received(servers[by_second ? 1 : 0]);
        CHECK(again == "again");
    }
}

LEAT_TEST("options of a datagram socket are those of its socket") {
    auto plain = on_loopback();
    CHECK(option(plain, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
    CHECK(option(plain, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP);
    CHECK(option(plain, SOL_SOCKET, SO_BROADCAST) == 0);
    plain.set_recv_buffer(20'000);
    CHECK(option(plain, SOL_SOCKET, SO_RCVBUF) == 40'000);
    plain.set_send_buffer(30'000);
    CHECK(option(plain, SOL_SOCKET, SO_SNDBUF) == 60'000);
    CHECK_THROWS_AS(plain.set_option(SOL_SOCKET, 9999, 1), std::system_error);
    auto loud = udp_socket::bind({"127.0.0.1", 0}, {.broadcast = true});
    CHECK(option(loud, SOL_SOCKET, SO_BROADCAST) != 0);
    co_return;
}

LEAT_TEST("a dump tells where a datagram is waited for") {
    auto server = on_loopback();
    auto client = on_loopback();
    co_await client.connect(server.local_endpoint());
    auto reader = leat::spawn(received(server));
    auto asker = leat::spawn(received(client));
    co_await leat::sleep(1ns);
    const std::string dump = leat::dump_tasks();
    const std::string here = server.local_endpoint().to_string();
    CHECK(dump.find("waits for recv on descriptor " + std::to_string(server.native_handle()) + ", local " +
                    here) != dump.npos);
    CHECK(dump.find(", local " + client.local_endpoint().to_string() + ", peer " + here) != dump.npos);
    for (auto* each : {&reader, &asker}) {
        each->cancel();
        co_await each->join();
    }
}

namespace {

struct socket_pair {
    socket_pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
        ours = udp_socket::from_fd(ends[0]);
        peer = udp_socket::from_fd(ends[1]);
    }
    udp_socket ours;
    udp_socket peer;
};

}  // namespace

LEAT_TEST("a send that finds no room waits for it, on a datagram socket of another family too", on(kernel)) {
    socket_pair both;
    int sent = 0;
    constexpr int all = 100;  // of ten thousand bytes: several times what there is room for
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (; sent < all; ++sent) {
            std::string text = std::to_string(sent);
            text.resize(10'000);
            co_await both.ours.send(text);
        }
    });
    while (sender.state().waiting == nullptr || sent == 0) {
        co_await leat::yield();
    }
    CHECK(sent < all);
    CHECK(leat::dump_tasks().find("waits for send on descriptor") != std::string::npos);
    for (int number = 0; number < all; ++number) {
        std::string text(10'000, ' ');
        const datagram got = co_await leat::timeout(patience, both.peer.recv_from(text));
        CHECK(got.size == 10'000);
        CHECK(got.from == leat::endpoint());
        CHECK(text.starts_with(std::to_string(number) + '\0'));
    }
    co_await sender;
}

LEAT_TEST("from_fd takes over a connected datagram socket", on(kernel)) {
    auto server = on_loopback();
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const leat::endpoint there = server.local_endpoint();
    REQUIRE(::connect(fd, there.data(), there.size()) == 0);
    auto client = udp_socket::from_fd(fd);
    CHECK(client.native_handle() == fd);
    CHECK(client.remote_endpoint() == there);
    co_await client.send("hello");
    const std::string heard = co_await received(server);
    CHECK(heard == "hello");
}
