// SPDX-License-Identifier: MIT
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using namespace std::chrono_literals;

LEAT_TEST("a pair of streams is connected, both ways") {
    auto [client, server] = co_await leat::testing::stream_pair();
    CHECK(client.remote_endpoint() == server.local_endpoint());
    CHECK(server.remote_endpoint() == client.local_endpoint());
    char text[4];
    co_await client.send_all("ping");
    co_await server.recv_exactly(text);
    CHECK(std::string_view(text, 4) == "ping");
    co_await server.send_all("pong");
    co_await client.recv_exactly(text);
    CHECK(std::string_view(text, 4) == "pong");
}

LEAT_TEST("a slow client is cut off", on(leat::testing::simulated)) {
    std::string buffer(100, ' ');
    auto [client, server] = co_await leat::testing::stream_pair();
    auto before = leat::now();
    auto reply = co_await leat::move_on_after(1h, server.recv(buffer));
    CHECK(!reply);
    CHECK(leat::now() - before >= 1h);
}
