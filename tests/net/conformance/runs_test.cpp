// SPDX-License-Identifier: MIT
// What outlives its run: a stream, a listener or a datagram socket goes on in the next run, on whatever
// backend that is, and no byte is lost on the way.
#include "../receive_ahead.hpp"
#include "connected.hpp"
#include "two_backends.hpp"

#include <leat/udp.hpp>
#include <leat/unix.hpp>

#include <array>
#include <optional>
#include <string>
#include <system_error>

#include <doctest/doctest.h>

using cancel_tests::let_the_loop_look;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::on_two_backends;
using conformance::patience;
using life_tests::arrive_unread;
using life_tests::receive_ahead;

namespace {

const std::string& many_bytes() {
    static const std::string bytes = conformance::too_much().substr(0, 100'000);
    return bytes;
}

leat::task<std::string> read(leat::tcp_stream& from, std::size_t size) {
    std::string text(size, ' ');
    co_await leat::timeout(patience, from.recv_exactly(text));
    co_return text;
}

}  // namespace

TEST_CASE("bytes that arrived in a run are read in the next one, then what comes after, and the end") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        connection both;
        leat::run(
            [&]() -> leat::task<> {
                both = co_await connected();
                co_await receive_ahead(both.client, both.server);
                co_await arrive_unread(both.client, "one ");
                co_await arrive_unread(both.client, "two ");
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                co_await both.client.send_all("three");
                const std::string got = co_await read(both.server, 13);
                CHECK(got == "one two three");
                const bool there = co_await carries(both.client, both.server);
                const bool back = co_await carries(both.server, both.client);
                CHECK((there && back));
                both.client.close();
                const auto end = co_await leat::timeout(patience, both.server.recv_chunk());
                CHECK(end.empty());
            },
            second);
    });
}

TEST_CASE("more bytes than a backend receives ahead are read in the next run, in order") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        connection both;
        leat::run(
            [&]() -> leat::task<> {
                both = co_await connected();
                co_await receive_ahead(both.client, both.server);
                co_await arrive_unread(both.client, many_bytes());
                const std::string head = co_await read(both.server, 1000);
                CHECK(head == many_bytes().substr(0, 1000));
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                both.client.shutdown_send();
                const std::string rest = co_await conformance::read_to_the_end(both.server);
                CHECK(rest == many_bytes().substr(1000));
            },
            second);
    });
}

TEST_CASE("a reader that the end of its run has cancelled loses nothing to the next one") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        connection both;
        leat::run(
            [&]() -> leat::task<> {
                both = co_await connected();
                co_await receive_ahead(both.client, both.server);
                leat::spawn([&]() -> leat::task<> {
                    std::string much(100, ' ');
                    co_await both.server.recv_exactly(much);
                });
                co_await let_the_loop_look();
                co_await both.client.send_all("abc");
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                const std::string got = co_await read(both.server, 3);
                CHECK(got == "abc");
            },
            second);
    });
}

TEST_CASE("a reset that came behind bytes in a run is told in the next one, behind the bytes") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        connection both;
        leat::run(
            [&]() -> leat::task<> {
                both = co_await connected();
                co_await receive_ahead(both.client, both.server);
                co_await arrive_unread(both.client, "last words");
                both.client.set_reset_on_close();
                both.client.close();
                co_await let_the_loop_look();
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                const auto words =
                    co_await leat::as_result(leat::timeout(patience, both.server.recv_chunk()));
                CHECK((words.ok() && words->text() == "last words"));
                for (int i = 0; i < 2; ++i) {
                    const auto end =
                        co_await leat::as_result(leat::timeout(patience, both.server.recv_chunk()));
                    CHECK(end.error() == std::errc::connection_reset);
                }
            },
            second);
    });
}

TEST_CASE("a stream that was never read in its run sends a reset when it is closed after that") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        connection both;
        leat::run(
            [&]() -> leat::task<> {
                both = co_await connected();
                co_await receive_ahead(both.client, both.server);
                co_await arrive_unread(both.client, "unread");
            },
            first);
        both.server.close();
        leat::run(
            [&]() -> leat::task<> {
                const auto end = co_await leat::as_result(both.client.recv_chunk());
                CHECK(end.error() == std::errc::connection_reset);
            },
            second);
    });
}

TEST_CASE("a Unix stream that outlives its run is read to the end in the next one") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        std::optional<leat::unix_stream> one;
        std::optional<leat::unix_stream> other;
        leat::run(
            [&]() -> leat::task<> {
                auto [here, there] = leat::unix_stream::pair();
                co_await receive_ahead(here, there);
                co_await arrive_unread(here, "abc");
                one = std::move(here);
                other = std::move(there);
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                co_await one->send_all("def");
                one.reset();
                std::string got(6, ' ');
                co_await leat::timeout(patience, other->recv_exactly(got));
                CHECK(got == "abcdef");
                const auto end = co_await leat::timeout(patience, other->recv_chunk());
                CHECK(end.empty());
            },
            second);
    });
}

TEST_CASE("a listener that outlives its run accepts in the next one who has connected before") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        std::optional<leat::tcp_listener> listener;
        std::array<leat::tcp_stream, 3> clients;
        leat::run(
            [&]() -> leat::task<> {
                listener = leat::tcp_listener::bind({"127.0.0.1", 0});
                leat::spawn([&]() -> leat::task<> { (void)co_await listener->accept(); });
                co_await let_the_loop_look();
                clients[0] = co_await leat::tcp_stream::connect(listener->local_endpoint());
                co_await let_the_loop_look();
                for (std::size_t i = 1; i < 3; ++i) {
                    clients[i] = co_await leat::tcp_stream::connect(listener->local_endpoint());
                }
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                for (std::size_t i = 1; i < 3; ++i) {
                    auto accepted = co_await leat::timeout(patience, listener->accept());
                    const bool works = co_await carries(clients[i], accepted);
                    CHECK(works);
                }
            },
            second);
    });
}

TEST_CASE("a datagram socket that outlives its run receives in the next one what came before") {
    on_two_backends([](leat::run_options first, leat::run_options second) {
        std::optional<leat::udp_socket> socket;
        leat::run(
            [&]() -> leat::task<> {
                socket = leat::udp_socket::bind({"127.0.0.1", 0});
                leat::spawn([&]() -> leat::task<> {
                    std::array<char, 10> into;
                    for (;;) {
                        (void)co_await socket->recv(into);
                    }
                });
                co_await let_the_loop_look();
                co_await socket->send_to("read", socket->local_endpoint());
                co_await let_the_loop_look();
            },
            first);
        leat::run(
            [&]() -> leat::task<> {
                co_await socket->send_to("again", socket->local_endpoint());
                std::array<char, 10> into;
                const std::size_t size = co_await leat::timeout(patience, socket->recv(into));
                CHECK(std::string_view(into.data(), size) == "again");
            },
            second);
    });
}
