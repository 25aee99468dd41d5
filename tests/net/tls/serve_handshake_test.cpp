// SPDX-License-Identifier: MIT
// TLS connections of leat::serve that have not shaken hands: a stop of the server ends them at once.
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

}  // namespace leat::tls
