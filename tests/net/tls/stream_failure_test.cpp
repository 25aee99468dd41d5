// SPDX-License-Identifier: MIT
// What a TLS stream says when something goes wrong: handshakes that fail, peers that vanish.
#include <leat/send_all.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/timeout.hpp>
#include <leat/tls/stream.hpp>

#include <chrono>
#include <functional>

#include "stream_pair.hpp"

using namespace std::chrono_literals;

namespace leat::tls {
namespace {

struct two_failures {
    failure_of client;
    failure_of server;
    std::string peer;  // "127.0.0.1:5000", as the client names it
    std::string back;  // and the server
};

// A handshake with "a.example" in which both sides fail.
task<two_failures> refused(const contexts& with) {
    tcp_pair below = co_await connected_tcp();
    stream_pair<tcp_stream> both(std::move(below.client), std::move(below.server), with);
    auto server = spawn(fails(both.server.handshake()));
    failure_of client = co_await fails(both.client.handshake());
    failure_of heard = co_await server;
    co_return two_failures{client, heard, both.client.remote_endpoint().to_string(),
                           both.server.remote_endpoint().to_string()};
}

// A client's handshake with a peer that does `instead`.
task<failure_of> handshake_with(std::function<task<>(tcp_stream&)> instead) {
    tcp_pair below = co_await connected_tcp();
    const std::string place = below.client.remote_endpoint().to_string();
    stream<tcp_stream> client(std::move(below.client), contexts::trusted().client, "a.example");
    auto peer = spawn([&] { return instead(below.server); });
    failure_of failed = co_await fails(client.handshake());
    co_await peer;
    const std::string named = "TLS handshake with a.example (" + place + "): ";
    CHECK(failed.text.starts_with(named));
    failed.text.erase(0, named.size());
    co_return failed;
}

}  // namespace

LEAT_TEST("TLS: a certificate for another host is refused, and both sides say so") {
    const testing::certificate_authority authority;
    const contexts with(authority, authority.issue({"b.example", "*.c.example"}));
    const two_failures failed = co_await refused(with);
    CHECK(failed.client.code == failure::certificate);
    CHECK(failed.client.text == "TLS handshake with a.example (" + failed.peer +
                                    "): certificate verify failed: hostname mismatch: the certificate is for "
                                    "b.example, *.c.example, not for a.example");
    CHECK(failed.server.code == failure::alert);
    CHECK(failed.server.text ==
          "TLS handshake with " + failed.back + ": the peer sent the alert: bad certificate");
}

LEAT_TEST("TLS: an expired certificate is refused") {
    const testing::certificate_authority authority;
    const contexts with(authority, authority.issue({"a.example"}, {.not_before = -48h, .not_after = -24h}));
    const two_failures failed = co_await refused(with);
    CHECK(failed.client.code == failure::certificate);
    CHECK(failed.client.text == "TLS handshake with a.example (" + failed.peer +
                                    "): certificate verify failed: certificate has expired");
    CHECK(failed.server.text ==
          "TLS handshake with " + failed.back + ": the peer sent the alert: certificate expired");
}

LEAT_TEST("TLS: the certificate of an authority that we do not know is refused") {
    const testing::certificate_authority known;
    const testing::certificate_authority unknown;
    const contexts with(known, unknown.issue({"a.example"}));
    const two_failures failed = co_await refused(with);
    CHECK(failed.client.code == failure::certificate);
    CHECK(failed.client.text.starts_with("TLS handshake with a.example (" + failed.peer +
                                         "): certificate verify failed: "));
    CHECK(failed.server.code == failure::alert);
}

LEAT_TEST("TLS: a host that is an address is named once") {
    tcp_pair below = co_await connected_tcp();
    const std::string place = below.client.remote_endpoint().to_string();
    stream<tcp_stream> client(std::move(below.client), contexts::trusted().client, "127.0.0.1");
    below.server.close();
    const failure_of failed = co_await fails(client.handshake());
    CHECK(failed.text.starts_with("TLS handshake with " + place + ": "));
}

LEAT_TEST("TLS: a server that speaks something else is told from a TLS server") {
    const failure_of failed = co_await handshake_with([](tcp_stream& server) -> task<> {
        co_await server.send_all("220 mail.example ESMTP\r\n");
        const chunk hello = co_await server.recv_chunk();
        CHECK(!hello.empty());
    });
    CHECK(failed.code == failure::protocol);
    CHECK(failed.text == "wrong version number (the peer does not seem to speak TLS)");
}

LEAT_TEST("TLS: a client that speaks plain HTTP is told from a TLS client, and hears nothing") {
    tcp_pair below = co_await connected_tcp();
    const std::string place = below.server.remote_endpoint().to_string();
    co_await below.client.send_all("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    const failure_of failed = co_await fails(accept(std::move(below.server), contexts::trusted().server));
    CHECK(failed.code == failure::protocol);
    CHECK(failed.text ==
          "TLS handshake with " + place + ": http request (the peer does not seem to speak TLS)");
    const std::string heard = co_await read_all(below.client);
    CHECK(heard.empty());  // an alert would mean nothing to it
}

LEAT_TEST("TLS: a peer that closes during the handshake is named") {
    const failure_of closed = co_await handshake_with([](tcp_stream& server) -> task<> {
        const chunk hello = co_await server.recv_chunk();
        CHECK(!hello.empty());
        server.close();
    });
    CHECK(closed.code == failure::truncated);
    CHECK(closed.text == "the peer closed the connection");
    const failure_of reset = co_await handshake_with([](tcp_stream& server) -> task<> {
        char one[1];
        co_await server.recv_exactly(one);
        server.set_reset_on_close();
        server.close();
    });
    CHECK(reset.code == std::errc::connection_reset);
    CHECK(reset.text == "Connection reset by peer");
}

LEAT_TEST("TLS: a silent client is given up after the timeout") {
    tcp_pair below = co_await connected_tcp();
    const std::string place = below.server.remote_endpoint().to_string();
    const failure_of failed =
        co_await fails(accept(std::move(below.server), contexts::trusted().server, {.timeout = 1ms}));
    CHECK(failed.code == std::errc::timed_out);
    CHECK(failed.text == "TLS handshake with " + place + ": Connection timed out");
    char one[1];
    const std::size_t end = co_await below.client.recv(one);
    CHECK(end == 0);
}

LEAT_TEST("tls::connect's timeout covers a server that is silent") {
    tcp_listener listener = tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    const failure_of failed =
        co_await fails(connect(contexts::trusted().client, "127.0.0.1", port, {.timeout = 20ms}));
    CHECK(failed.code == std::errc::timed_out);
    CHECK(failed.text == "TLS handshake with 127.0.0.1:" + std::to_string(port) + ": Connection timed out");
}

LEAT_TEST("TLS: an end without close_notify is a truncation, told each time, after the data") {
    auto both = co_await over_tcp();
    auto sender = spawn(both.client.send_all("half of a mess"));
    char text[14];
    co_await both.server.recv_exactly(text);
    co_await sender;
    auto answer = spawn(both.server.send_all("go on"));
    char behind_tickets[5];  // a close with bytes unread is a reset
    co_await both.client.recv_exactly(behind_tickets);
    co_await answer;
    const std::string place = both.server.remote_endpoint().to_string();
    both.client.close();
    for (int again = 0; again < 2; ++again) {
        const failure_of cut = co_await fails(both.server.recv_chunk());
        CHECK(cut.code == failure::truncated);
        CHECK(cut.text == "recv from " + place +
                              ": the connection ended without close_notify: the data may be truncated");
    }
    const auto tolerated = co_await as_result(both.server.recv(text));
    CHECK(tolerated.error() == failure::truncated);

    both.server.ignore_unexpected_eof(true);
    const chunk end = co_await both.server.recv_chunk();
    CHECK(end.empty());
    const failure_of incomplete = co_await fails(both.server.recv_exactly(text));
    CHECK(incomplete.code == stream_errc::end_of_stream);
    both.server.ignore_unexpected_eof(false);
    const failure_of cut = co_await fails(both.server.recv_chunk());
    CHECK(cut.code == failure::truncated);
}

LEAT_TEST("TLS: recv_exactly says how much arrived before the end") {
    auto both = co_await over_tcp();
    auto sender = spawn([&]() -> task<> {
        co_await both.client.send_all("abc");
        co_await both.client.shutdown_send();
    });
    char text[10];
    const failure_of failed = co_await fails(both.server.recv_exactly(text));
    co_await sender;
    CHECK(failed.code == stream_errc::end_of_stream);
    CHECK(failed.text == "recv from " + both.server.remote_endpoint().to_string() +
                             ": 3 of 10 bytes arrived: unexpected end of stream");
}

LEAT_TEST("TLS: a reset is an error, not an end") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    both.client.reset();
    CHECK_FALSE(both.client.is_open());
    const failure_of failed = co_await fails(both.server.recv_chunk());
    CHECK(failed.code == std::errc::connection_reset);
    CHECK(failed.text ==
          "recv from " + both.server.remote_endpoint().to_string() + ": Connection reset by peer");
}

LEAT_TEST("TLS: a peer that takes nothing is given up by a send_all with a limit", on(testing::simulated)) {
    auto both = in_memory({.capacity = 40'000});
    co_await shake_hands(both);
    const std::string sent = pattern(200'000);
    std::size_t taken = 0;
    try {
        co_await leat::send_all(both.client, sent, {.stall = 1s});
    } catch (const send_stalled& error) {
        taken = error.bytes_sent();
    }
    CHECK(taken > 0);
    CHECK(taken == both.client.bytes_sent());
    CHECK_FALSE(both.client.is_open());
    const failure_of failed = co_await fails(read_all(both.server));
    CHECK(failed.code == std::errc::connection_reset);
}

LEAT_TEST("TLS: bytes that were tampered with end the connection, and the peer is told") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    co_await both.client.transport().send_all(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    const failure_of failed = co_await fails(both.server.recv_chunk());
    CHECK(failed.code == failure::protocol);
    CHECK(failed.text ==
          "recv from " + both.server.remote_endpoint().to_string() + ": decryption failed or bad record mac");
    const failure_of told = co_await fails(both.client.recv_chunk());
    CHECK(told.code == failure::alert);
}

LEAT_TEST("TLS: closing ends what another task waits for, and later operations say closed") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    const std::string peer = both.client.remote_endpoint().to_string();
    auto reader = spawn([&] { return fails(both.client.recv_chunk()); });
    co_await let_others_run();
    both.client.close();
    const failure_of ended = co_await reader;
    CHECK(ended.code == std::errc::operation_canceled);
    CHECK(!both.client.is_open());
    both.client.close();
    const failure_of read = co_await fails(both.client.recv_chunk());
    CHECK(read.code == stream_errc::closed);
    CHECK(read.text == "recv from a.example (" + peer + "): the stream is closed");
    const failure_of sent = co_await fails(both.client.send_all("x"));
    CHECK(sent.code == stream_errc::closed);
    const failure_of greeted = co_await fails(both.client.handshake());
    CHECK(greeted.code == stream_errc::closed);
}

LEAT_TEST("TLS: a stream may die while tasks wait for it") {
    auto both = in_memory({.capacity = 100});
    co_await shake_hands(both);
    std::optional<stream<memory_stream>> dying(std::move(both.client));
    auto reader = spawn([&] { return fails(dying->recv_chunk()); });
    const std::string text(100'000, 'x');
    auto sender = spawn([&] { return fails(dying->send_all(text)); });
    co_await let_others_run();
    dying.reset();
    const failure_of read = co_await reader;
    const failure_of sent = co_await sender;
    CHECK(read.code == std::errc::operation_canceled);
    CHECK(sent.code == std::errc::operation_canceled);
}

}  // namespace leat::tls
