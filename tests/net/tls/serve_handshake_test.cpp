// SPDX-License-Identifier: MIT
// TLS connections of leat::serve: a stop of the server ends those that have not shaken hands at once, and who
// is silent, in the handshake or after it, is idle.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

#include "../echo.hpp"
#include "stream_pair.hpp"

namespace leat::tls {

using namespace std::chrono_literals;
using leat::testing::lent_listener;

LEAT_TEST("TLS: a server that stops waits for no handshake, but for who has shaken hands",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    const auto secure_echo = [&](tcp_stream below) -> task<> {
        auto peer = co_await accept(std::move(below), with.server, {.timeout = 2h});
        while (const chunk piece = co_await peer.recv_chunk()) {
            co_await peer.send_all(piece);
        }
        co_await peer.shutdown_send();
    };
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    auto serving = spawn(serve(lent_listener(listener), secure_echo, {.grace = 1h, .stop_on = {}}));
    const leat::endpoint where = listener.local_endpoint();
    tcp_stream silent = co_await tcp_stream::connect(where);
    tcp_stream begun = co_await tcp_stream::connect(where);
    session half_open(with.client, "a.example");
    CHECK(half_open.handshake().what == step::kind::has_output);
    co_await begun.send_all(half_open.output());
    const chunk flight = co_await begun.recv_chunk();
    CHECK(!flight.empty());
    stream<tcp_stream> client(co_await tcp_stream::connect(where), with.client, "a.example");
    co_await client.handshake();
    const auto stopped = now();
    listener.close();
    for (tcp_stream* each : {&silent, &begun}) {
        const chunk end = co_await each->recv_chunk();
        CHECK(end.empty());
    }
    std::string text(5, ' ');
    co_await client.send_all("still");
    co_await client.recv_exactly(text);
    CHECK(text == "still");
    CHECK_FALSE(serving.done());
    co_await client.shutdown_send();
    co_await serving;
    CHECK(now() - stopped < 1s);
}

namespace {

// Until the client ends.
task<> answer(stream<tcp_stream> peer) {
    while (const chunk piece = co_await peer.recv_chunk()) {
        co_await peer.send_all(piece);
    }
}

// Gives streams of TLS; the handshake is the handler's first operation.
struct secure_listener {
    tcp_listener below;
    const context* shared;

    task<stream<tcp_stream>> accept() {
        tcp_stream accepted = co_await below.accept();
        co_return stream<tcp_stream>(std::move(accepted), *shared);
    }
    void close() noexcept { below.close(); }
};

// Two clients: one that says nothing at all, and one that stops after an exchange.
task<> be_silent(leat::endpoint where, const context& trusting) {
    const auto begun = now();
    tcp_stream silent = co_await tcp_stream::connect(where);
    stream<tcp_stream> client(co_await tcp_stream::connect(where), trusting, "a.example");
    co_await sleep(30s);
    std::string text(5, ' ');
    co_await client.send_all("hello");
    co_await client.recv_exactly(text);
    CHECK(text == "hello");
    const auto last = now();
    const chunk end = co_await silent.recv_chunk();
    CHECK(end.empty());
    CHECK(now() - begun >= 60s);
    CHECK(now() - begun < 68s);
    const auto cut = co_await as_result(client.recv_chunk());
    CHECK_FALSE(cut.ok());
    CHECK(now() - last >= 60s);
    CHECK(now() - last < 68s);
}

}  // namespace

LEAT_TEST("TLS: who is silent in the handshake or after it is cut off by the server's idle time",
          on(leat::testing::simulated)) {
    const contexts& with = contexts::trusted();
    serve_counters counters;
    const leat::serve_options options{.idle = 60s, .counters = &counters, .stop_on = {}};
    auto plain = tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint first = plain.local_endpoint();
    const auto shake_hands = [&](tcp_stream below) -> task<> {
        co_await answer(co_await accept(std::move(below), with.server, {.timeout = 2h}));
    };
    auto serving = spawn(serve(std::move(plain), shake_hands, options));
    co_await be_silent(first, with.client);
    CHECK(counters.idle == 2);
    serving.cancel();
    co_await serving.join();

    secure_listener secure{tcp_listener::bind({"127.0.0.1", 0}), &with.server};
    const leat::endpoint second = secure.below.local_endpoint();
    serving = spawn(serve(std::move(secure), answer, options));
    co_await be_silent(second, with.client);
    CHECK(counters.idle == 4);
    serving.cancel();
    co_await serving.join();
}

}  // namespace leat::tls
