// SPDX-License-Identifier: MIT
// The life of a socket: what an operation that was made before a close does after it, what a close or a reset
// leaves, and what becomes of a socket that outlives its run.
#include "../receive_ahead.hpp"
#include "connected.hpp"

#include <leat/any_stream.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/udp.hpp>
#include <leat/unix.hpp>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

using cancel_tests::let_the_loop_look;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;
using life_tests::arrive_unread;
using life_tests::receive_ahead;

namespace {

leat::tcp_listener on_loopback() {
    return leat::tcp_listener::bind({"127.0.0.1", 0});
}

// `make` makes an operation on a stream, which is closed before it is awaited; a new socket has the number
// then.
template <typename Make>
leat::task<> closed_before_it_is_awaited(Make make) {
    auto listener = on_loopback();
    connection old = co_await connected(listener);
    auto operation = make(old.client);
    const int number = old.client.native_handle();
    old.client.close();
    connection next = co_await connected(listener);
    CHECK((next.client.native_handle() == number || next.server.native_handle() == number));
    co_await next.client.send_all("not for the old one");
    co_await next.server.send_all("not for the old one");
    co_await let_the_loop_look();
    const auto ended = co_await leat::as_result(operation);
    CHECK(ended.error() == leat::stream_errc::closed);
    std::string received(19, ' ');
    co_await leat::timeout(patience, next.client.recv_exactly(received));
    CHECK(received == "not for the old one");
    co_await leat::timeout(patience, next.server.recv_exactly(received));
    CHECK(received == "not for the old one");
}

std::array<char, 64> buffer;

}  // namespace

LEAT_TEST("an operation on a stream that is closed before it is awaited is an error, and touches no other") {
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.recv(buffer); });
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.recv_exactly(buffer); });
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.recv_chunk(); });
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.send("lost"); });
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.send_all("lost"); });
    co_await closed_before_it_is_awaited([](leat::tcp_stream& on) { return on.send_all("lo", "st"); });
}

LEAT_TEST("an operation on a stream that has died before it is awaited is an error") {
    connection both = co_await connected();
    std::optional<leat::tcp_stream> dying(std::move(both.client));
    auto recv = dying->recv(buffer);
    auto send = dying->send_all("lost");
    dying.reset();
    const auto received = co_await leat::as_result(recv);
    CHECK(received.error() == leat::stream_errc::closed);
    const auto sent = co_await leat::as_result(send);
    CHECK(sent.error() == leat::stream_errc::closed);
}

LEAT_TEST("an operation that was made before its stream is moved is on where that is") {
    connection both = co_await connected();
    auto recv = both.client.recv(buffer);
    const leat::tcp_stream moved(std::move(both.client));
    co_await both.server.send_all("abc");
    const std::size_t size = co_await leat::timeout(patience, recv);
    CHECK(size == 3);
}

LEAT_TEST("an operation on a datagram socket that is closed before it is awaited is an error") {
    auto socket = leat::udp_socket::bind({"127.0.0.1", 0});
    const leat::endpoint self = socket.local_endpoint();
    auto recv = socket.recv_from(buffer);
    auto send = socket.send_to("lost", self);
    socket.close();
    auto next = leat::udp_socket::bind(self);
    co_await next.send_to("its own", self);
    const auto received = co_await leat::as_result(recv);
    CHECK(received.error() == leat::stream_errc::closed);
    const auto sent = co_await leat::as_result(send);
    CHECK(sent.error() == leat::stream_errc::closed);
    const std::size_t size = co_await leat::timeout(patience, next.recv(buffer));
    CHECK(std::string_view(buffer.data(), size) == "its own");
}

LEAT_TEST("to receive or send nothing on a closed stream is the error that all on it is") {
    connection both = co_await connected();
    both.client.close();
    const std::span<char> nothing;
    const auto recv_exactly = co_await leat::as_result(both.client.recv_exactly(nothing));
    CHECK(recv_exactly.error() == leat::stream_errc::closed);
    const auto send = co_await leat::as_result(both.client.send(""));
    CHECK(send.error() == leat::stream_errc::closed);
    const auto send_all = co_await leat::as_result(both.client.send_all(""));
    CHECK(send_all.error() == leat::stream_errc::closed);
}

LEAT_TEST("what a cancelled recv_exactly gave back is gone with the close of its stream") {
    connection both = co_await connected();
    std::string four(4, ' ');
    auto waits = leat::spawn([&]() -> leat::task<> { co_await both.client.recv_exactly(four); });
    co_await both.server.send_all("ab");
    co_await let_the_loop_look();
    waits.cancel();
    co_await waits.join();
    both.client.close();
    const auto recv = co_await leat::as_result(both.client.recv(buffer));
    CHECK(recv.error() == leat::stream_errc::closed);
    const auto recv_chunk = co_await leat::as_result(both.client.recv_chunk());
    CHECK(recv_chunk.error() == leat::stream_errc::closed);
}

LEAT_TEST("the port of a listener that is closed while somebody accepts is free at once") {
    auto listener = on_loopback();
    const leat::endpoint at = listener.local_endpoint();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await listener.accept(); });
    co_await let_the_loop_look();
    listener.close();
    auto again = leat::tcp_listener::bind(at);
    connection both = co_await connected(again);
    const bool works = co_await carries(both.client, both.server);
    CHECK(works);
    const auto code = co_await error_of([](leat::handle<>& on) -> leat::task<> { co_await on; }(waits));
    CHECK(code == std::errc::operation_canceled);
}

LEAT_TEST("the port of a listener that is closed before a cancelled accept has ended is free at once") {
    auto listener = on_loopback();
    const leat::endpoint at = listener.local_endpoint();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await listener.accept(); });
    co_await let_the_loop_look();
    waits.cancel();
    listener.close();
    auto again = leat::tcp_listener::bind(at);
    CHECK(again.local_endpoint() == at);
    const auto& ended = co_await waits.join();
    CHECK(ended.cancelled());
}

LEAT_TEST("the port of a datagram socket that is closed while somebody receives is free at once") {
    auto socket = leat::udp_socket::bind({"127.0.0.1", 0});
    const leat::endpoint at = socket.local_endpoint();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await socket.recv(buffer); });
    co_await let_the_loop_look();
    socket.close();
    auto again = leat::udp_socket::bind(at);
    CHECK(again.local_endpoint() == at);
    const auto code = co_await error_of([](leat::handle<>& on) -> leat::task<> { co_await on; }(waits));
    CHECK(code == std::errc::operation_canceled);
}

LEAT_TEST("the name of a Unix listener that is closed while somebody accepts is free at once") {
    auto listener = leat::unix_listener::bind({});
    const leat::unix_endpoint at = listener.local_endpoint();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await listener.accept(); });
    co_await let_the_loop_look();
    listener.close();
    auto again = leat::unix_listener::bind(at);
    CHECK(again.local_endpoint() == at);
    const auto code = co_await error_of([](leat::handle<>& on) -> leat::task<> { co_await on; }(waits));
    CHECK(code == std::errc::operation_canceled);
}

LEAT_TEST("a listener that is assigned another one closes its own") {
    auto listener = on_loopback();
    const leat::endpoint at = listener.local_endpoint();
    auto other = on_loopback();
    listener = std::move(other);
    auto again = leat::tcp_listener::bind(at);
    CHECK(again.local_endpoint() == at);
    co_return;
}

// ---- closed with bytes that nobody has read ----

namespace {

leat::task<bool> sees_reset(leat::tcp_stream& peer) {
    const auto end = co_await leat::timeout(patience, leat::as_result(peer.recv_chunk()));
    co_return end.error() == std::errc::connection_reset;
}

}  // namespace

LEAT_TEST("a peer sees a reset when bytes that have arrived are never read") {
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    co_await arrive_unread(both.client, "unread");
    both.server.close();
    const bool reset = co_await sees_reset(both.client);
    CHECK(reset);
}

LEAT_TEST("a peer sees a reset when bytes that come after the last reader was cancelled are never read") {
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    auto reader = leat::spawn([&]() -> leat::task<> { (void)co_await both.server.recv_chunk(); });
    co_await let_the_loop_look();
    reader.cancel();
    co_await reader.join();
    co_await let_the_loop_look();
    co_await arrive_unread(both.client, "unread");
    both.server.close();
    const bool reset = co_await sees_reset(both.client);
    CHECK(reset);
}

LEAT_TEST("a peer sees a reset when what a cancelled recv_exactly gave back is never read") {
    connection both = co_await connected();
    std::string four(4, ' ');
    auto waits = leat::spawn([&]() -> leat::task<> { co_await both.server.recv_exactly(four); });
    co_await both.client.send_all("ab");
    co_await let_the_loop_look();
    waits.cancel();
    co_await waits.join();
    both.server.close();
    const bool reset = co_await sees_reset(both.client);
    CHECK(reset);
}

LEAT_TEST("a peer sees the end when all that has arrived was read") {
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    both.server.close();
    const auto end = co_await leat::timeout(patience, both.client.recv_chunk());
    CHECK(end.empty());
}

LEAT_TEST("what comes after a reader was cancelled is there for whoever has the socket too", on(kernel)) {
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    auto reader = leat::spawn([&]() -> leat::task<> { (void)co_await both.server.recv_chunk(); });
    co_await let_the_loop_look();
    reader.cancel();
    co_await reader.join();
    co_await let_the_loop_look();
    auto other = leat::tcp_stream::from_fd(::dup(both.server.native_handle()));
    both.server.close();
    co_await both.client.send_all("for the other");
    const auto got = co_await leat::timeout(patience, other.recv_chunk());
    CHECK(got.text() == "for the other");
}

// ---- numbers that are used again ----

// Closed by its number while nobody waits: a new socket has the number before the stream hears of it.
LEAT_TEST("a stream whose descriptor was closed behind its back harms no socket that has the number now",
          on(kernel)) {
    auto listener = on_loopback();
    connection old = co_await connected(listener);
    co_await receive_ahead(old.client, old.server);
    const int number = old.server.native_handle();
    REQUIRE(::close(number) == 0);
    connection next = co_await connected(listener);
    if (next.client.native_handle() == number) {
        std::swap(next.client, next.server);
    }
    REQUIRE(next.server.native_handle() == number);
    auto waits =
        leat::spawn([&]() -> leat::task<leat::chunk> { co_return co_await next.server.recv_chunk(); });
    co_await let_the_loop_look();
    (void)co_await leat::as_result(old.client.send_all("for the old one"));
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    CHECK_FALSE(old.server.is_open());
    old.server.close();
    co_await next.client.send_all("for the new one");
    const auto got = co_await leat::timeout(patience, waits);
    CHECK(got.text() == "for the new one");
}

LEAT_TEST("readable() of a number that a socket of leat has had waits for the new one", on(kernel)) {
    connection both = co_await connected();
    co_await receive_ahead(both.client, both.server);
    const int number = both.server.native_handle();
    both.server.close();
    co_await let_the_loop_look();
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const leat::fd writer(::fcntl(ends[1], F_DUPFD_CLOEXEC, number + 1));
    ::close(ends[1]);
    const leat::fd reader(ends[0] == number ? number : ::dup2(ends[0], number));
    if (ends[0] != number) {
        ::close(ends[0]);
    }
    REQUIRE(reader.get() == number);
    auto waits = leat::spawn([&]() -> leat::task<> { co_await leat::readable(number); });
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    co_await leat::timeout(patience, waits);
}

LEAT_TEST("reset() closes at once, and the peer sees a reset, also with bytes unread") {
    for (const bool has_unread : {false, true}) {
        connection both = co_await connected();
        if (has_unread) {
            co_await both.server.send_all("unread");
            std::array<char, 1> first;
            co_await both.client.recv_exactly(first);
        }
        both.client.reset();
        CHECK_FALSE(both.client.is_open());
        both.client.reset();
        const auto received = co_await leat::as_result(both.server.recv_chunk());
        CHECK(received.error() == std::errc::connection_reset);
        const auto late = co_await leat::as_result(both.client.send("x"));
        CHECK(late.error() == leat::stream_errc::closed);
    }
}

LEAT_TEST("reset() ends what waits on the stream, and passes through an any_stream") {
    connection both = co_await connected();
    leat::any_stream carried(std::move(both.client));
    std::error_code ended;
    auto waits = leat::spawn([&]() -> leat::task<> {
        const auto received = co_await leat::as_result(carried.recv_chunk());
        ended = received.error();
    });
    co_await leat::yield();
    carried.reset();
    co_await waits;
    CHECK(ended == std::errc::operation_canceled);
    const auto received = co_await leat::as_result(both.server.recv_chunk());
    CHECK(received.error() == std::errc::connection_reset);
}
