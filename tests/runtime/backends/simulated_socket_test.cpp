// SPDX-License-Identifier: MIT
// TCP as the simulation has it: each case is what Linux does, and most of them run on the kernel too.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/simulation.hpp>

#include <string>
#include <system_error>
#include <vector>

#include <netinet/in.h>

using namespace std::chrono_literals;
using leat::testing::run_simulated;

namespace {

struct socket_pair {
    leat::tcp_stream client;
    leat::tcp_stream server;
};

leat::task<socket_pair> connected(leat::tcp_listener& listener) {
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    socket_pair both{std::move(client), std::move(server)};
    co_return both;
}

leat::task<socket_pair> connected() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    co_return co_await connected(listener);
}

leat::task<leat::result<std::size_t>> recv_one(leat::tcp_stream& from) {
    char byte = 0;
    co_return co_await leat::as_result(from.recv(std::span(&byte, 1)));
}

leat::socket_calls& sockets() {
    return leat::current_scheduler().io().sockets();
}

}  // namespace

LEAT_TEST("closing with unread data resets the peer, and behind the reset there is no end") {
    socket_pair both = co_await connected();
    co_await both.client.send_all("unread");
    co_await leat::readable(both.server.native_handle());
    both.server.close();
    const auto reset = co_await recv_one(both.client);
    CHECK(reset.error() == std::errc::connection_reset);
    const auto still_reset = co_await recv_one(both.client);
    CHECK(still_reset.error() == std::errc::connection_reset);
    const auto late = co_await leat::as_result(both.client.send("x"));
    CHECK(late.error() == std::errc::broken_pipe);
}

LEAT_TEST("closing when all has been read ends the stream, and what is sent then comes back as EPIPE") {
    socket_pair both = co_await connected();
    both.server.close();
    const auto ended = co_await recv_one(both.client);
    REQUIRE(ended.ok());
    CHECK(*ended == 0);
    co_await both.client.send_all("answered by a reset");
    std::error_code error;
    while (!error) {
        const auto late = co_await leat::as_result(both.client.send("x"));
        error = late.error();
    }
    CHECK(error == std::errc::broken_pipe);
    const auto still = co_await recv_one(both.client);
    REQUIRE(still.ok());
    CHECK(*still == 0);
}

LEAT_TEST("a linger of no time resets although all has been read, behind what was sent") {
    socket_pair both = co_await connected();
    co_await both.server.send_all("x");
    both.server.set_reset_on_close();
    both.server.close();
    const auto sent = co_await recv_one(both.client);
    CHECK(sent.ok());
    const auto reset = co_await recv_one(both.client);
    CHECK(reset.error() == std::errc::connection_reset);
}

LEAT_TEST("one direction ends while the other goes on") {
    socket_pair both = co_await connected();
    both.client.shutdown_send();
    const auto ended = co_await recv_one(both.server);
    REQUIRE(ended.ok());
    CHECK(*ended == 0);
    co_await both.server.send_all("still here");
    char text[10];
    co_await both.client.recv_exactly(text);
    CHECK(std::string_view(text, sizeof text) == "still here");
    const auto refused = co_await leat::as_result(both.client.send("x"));
    CHECK(refused.error() == std::errc::broken_pipe);
}

LEAT_TEST("shutting receiving down ends a receive that waits") {
    socket_pair both = co_await connected();
    auto reader = leat::spawn([&] { return recv_one(both.client); });
    co_await leat::yield();
    CHECK(sockets().shutdown(both.client.native_handle(), SHUT_RD).ok());
    const auto ended = co_await reader;
    REQUIRE(ended.ok());
    CHECK(*ended == 0);
}

LEAT_TEST("a writer waits when the window is full, and goes on when the peer reads") {
    socket_pair both = co_await connected();
    const std::string sent(20'000'000, 'x');
    auto writer = leat::spawn([&]() -> leat::task<> {
        co_await both.client.send_all(sent);
        both.client.close();
    });
    for (int i = 0; i < 10; ++i) {
        co_await leat::yield();
    }
    CHECK_FALSE(writer.done());
    std::size_t received = 0;
    while (auto chunk = co_await both.server.recv_chunk()) {
        received += chunk.size();
    }
    CHECK(received == sent.size());
    co_await writer;
}

LEAT_TEST("what was sent before a close arrives after it") {
    socket_pair both = co_await connected();
    const std::string sent(100'000, 'x');
    co_await both.client.send_all(sent);
    both.client.close();
    std::string received(sent.size(), ' ');
    co_await both.server.recv_exactly(received);
    CHECK(received == sent);
    const auto ended = co_await recv_one(both.server);
    CHECK(ended.ok());
}

LEAT_TEST("a port is taken once, given back by a close, and nobody is there then") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    CHECK(where.port() != 0);
    CHECK_THROWS_AS((void)leat::tcp_listener::bind(where), std::system_error);
    CHECK_THROWS_AS((void)leat::tcp_listener::bind({"0.0.0.0", where.port()}), std::system_error);
    auto elsewhere = leat::tcp_listener::bind({"127.0.0.9", where.port()});
    CHECK(elsewhere.local_endpoint().port() == where.port());
    socket_pair both = co_await connected(listener);
    listener.close();
    std::error_code error;
    while (!error) {
        const auto refused = co_await leat::as_result(leat::tcp_stream::connect(where));
        error = refused.error();
    }
    CHECK(error == std::errc::connection_refused);
    listener = leat::tcp_listener::bind(where);  // although a connection of the old one lives
    socket_pair next = co_await connected(listener);
    CHECK(next.server.local_endpoint() == where);
}

LEAT_TEST("two listeners share a port when both say so") {
    auto first = leat::tcp_listener::bind({"127.0.0.1", 0}, {.reuse_port = true});
    auto second = leat::tcp_listener::bind(first.local_endpoint(), {.reuse_port = true});
    CHECK(second.local_endpoint() == first.local_endpoint());
    CHECK_THROWS_AS((void)leat::tcp_listener::bind(first.local_endpoint()), std::system_error);
    co_return;
}

LEAT_TEST("both ends of a connection know each other") {
    socket_pair both = co_await connected();
    CHECK(both.client.local_endpoint() == both.server.remote_endpoint());
    CHECK(both.server.local_endpoint() == both.client.remote_endpoint());
    sockaddr_storage name{};
    CHECK(sockets().remote_address(both.client.native_handle(), name).ok());
}

LEAT_TEST("closing a listener resets whoever is in its queue") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    listener.close();
    const auto reset = co_await recv_one(client);
    CHECK(reset.error() == std::errc::connection_reset);
}

LEAT_TEST("a listener that is shut down accepts no more") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto accepting = leat::spawn([&]() { return listener.accept(); });
    co_await leat::yield();
    CHECK(sockets().shutdown(listener.native_handle(), SHUT_RD).ok());
    const auto& ended = co_await accepting.join();
    CHECK(ended.how() == leat::ending::error);
}

TEST_CASE("a full queue keeps clients waiting until they ask again") {
    run_simulated([]() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0}, {.backlog = 1});
        const leat::endpoint where = listener.local_endpoint();
        const auto began = leat::now();
        auto first = co_await leat::tcp_stream::connect(where);
        auto second = co_await leat::tcp_stream::connect(where);
        CHECK(leat::now() == began);
        auto third = leat::spawn(leat::tcp_stream::connect(where));
        co_await leat::sleep(2500ms);
        CHECK_FALSE(third.done());
        auto accepted = co_await listener.accept();
        auto late = co_await third;
        CHECK(leat::now() - began == 3s);  // it asked at 0 s, 1 s and 3 s
    });
}

TEST_CASE("a client gives up when a queue stays full") {
    run_simulated([]() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0}, {.backlog = 0});
        const leat::endpoint where = listener.local_endpoint();
        const auto began = leat::now();
        auto first = co_await leat::tcp_stream::connect(where);
        const auto second = co_await leat::as_result(leat::tcp_stream::connect(where, {.timeout = 1h}));
        CHECK(second.error() == std::errc::timed_out);
        CHECK(leat::now() - began == 127s);
    });
}

TEST_CASE("small buffers let less through before a writer waits") {
    run_simulated(
        []() -> leat::task<> {
            socket_pair both = co_await connected();
            const std::string much(100'000, 'x');
            const std::size_t taken = co_await both.client.send(much);
            CHECK(taken == 3000);
            const std::size_t more = co_await both.client.send(much);
            CHECK(more == 3000);  // what has arrived is not the sender's any more
            const std::size_t last = co_await both.client.send(much);
            CHECK(last == 1000);  // the window is closed: the other 2000 are still here
            const bool room = co_await leat::move_on_after(1h, leat::writable(both.client.native_handle()));
            CHECK_FALSE(room);
            const auto chunk = co_await both.server.recv_chunk();
            CHECK(chunk.size() == 4000);
            co_await leat::writable(both.client.native_handle());
        },
        {.send_buffer = 3000, .receive_buffer = 4000});
}

TEST_CASE("while a reset is under way no more is sent than the buffer holds, and then it is told") {
    run_simulated(
        []() -> leat::task<> {
            socket_pair both = co_await connected();
            co_await both.client.send_all("unread");
            co_await leat::readable(both.server.native_handle());
            both.server.close();
            const auto sent = co_await leat::as_result(both.client.send_all(std::string(10'000'000, 'x')));
            CHECK(sent.error() == std::errc::connection_reset);
            CHECK(both.client.bytes_sent() > 6);
            CHECK(both.client.bytes_sent() < 10'000'000);
        },
        {.latency = 50ms});
}

TEST_CASE("a simulated host has IPv6, and IPv4 through it where a socket allows that") {
    run_simulated([]() -> leat::task<> {
        auto both = leat::tcp_listener::bind({"::", 0}, {.dual_stack = true});
        const int port = both.local_endpoint().port();
        auto four = co_await leat::tcp_stream::connect({"127.0.0.1", port});
        auto accepted = co_await both.accept();
        CHECK(accepted.remote_endpoint().to_string().starts_with("[::ffff:127.0.0.1]:"));
        auto six = co_await leat::tcp_stream::connect({"::1", port});
        auto only = leat::tcp_listener::bind({"::1", 0});
        const leat::endpoint mapped("127.0.0.1", only.local_endpoint().port());
        const auto refused = co_await leat::as_result(leat::tcp_stream::connect(mapped));
        CHECK(refused.error() == std::errc::connection_refused);
        const auto nowhere = co_await leat::as_result(leat::tcp_stream::connect({"192.0.2.1", 80}));
        CHECK(nowhere.error() == std::errc::network_unreachable);
        CHECK_THROWS_AS((void)leat::tcp_listener::bind({"192.0.2.1", 0}), std::system_error);
    });
}

TEST_CASE("the lowest descriptor that is free is the next one") {
    run_simulated([]() -> leat::task<> {
        leat::backend& io = leat::current_scheduler().io();
        std::vector<int> opened;
        for (int i = 0; i < 3; ++i) {
            opened.push_back(*sockets().open(AF_INET, SOCK_STREAM, 0));
        }
        CHECK(opened[0] == leat::simulated_descriptors);
        io.retire(opened[2]);
        io.retire(opened[1]);
        CHECK(*sockets().open(AF_INET, SOCK_STREAM, 0) == opened[1]);
        io.retire(opened[1]);
        io.retire(opened[0]);
        co_return;
    });
}

TEST_CASE("a simulated stream that fills its buffers gets larger ones, too") {
    run_simulated([]() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        socket_pair both = co_await connected(listener);
        both.client.set_send_buffer(1'000'000);
        both.server.set_recv_buffer(1'000'000);
        co_await both.client.send_all(std::string(900'000, 'x'));
        co_await leat::sleep(1s);
        std::vector<std::size_t> sizes;
        for (std::size_t left = 900'000; left > 0; left -= sizes.back()) {
            const leat::chunk part = co_await both.server.recv_chunk();
            sizes.push_back(part.size());
        }
        CHECK(sizes == std::vector<std::size_t>{16'384, 65'536, 262'144, 262'144, 262'144, 31'648});
    });
}
