// SPDX-License-Identifier: MIT
// Peers that take nothing, or take no answer: what waits for them, and what is still given.
#include "sockets.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;

namespace leat::websocket {

LEAT_TEST("what a peer said before it left is given, though it takes no answer") {
    raw_client both;
    co_await both.client.send_all(frame(last_text, "one") + frame(a_ping, "?") + frame(last_text, "two") +
                                  frame(a_close, close_payload(4001, "enough")));
    both.client.close();
    CHECK(co_await received(both.server) == "one");
    CHECK(co_await received(both.server) == "two");
    CHECK(co_await received(both.server) == "end");
    REQUIRE(both.server.closed_by_peer() != nullptr);
    CHECK(both.server.closed_by_peer()->reason == "enough");

    raw_client silent;
    co_await silent.client.send_all(frame(last_text, "one") + frame(a_ping, "?"));
    silent.client.close();
    CHECK(co_await received(silent.server) == "one");
    const auto ended = co_await as_result(silent.server.receive());
    CHECK(!ended.ok());
}

LEAT_TEST("a peer that takes nothing is not read without end for its pings, also while a task sends") {
    auto [peer, stream] = testing::memory_stream::pair({.capacity = 10'000});
    socket server(std::move(stream), role::server);
    const std::string big(100'000, 'b');
    auto sending = spawn([&]() -> task<> { co_await server.send(big); });
    auto waiting = spawn(received(server));
    auto pinging = spawn([&]() -> task<> {
        const std::string ping = frame(a_ping, std::string(125, 'p'));
        for (int i = 0; i < 3000; ++i) {
            co_await peer.send_all(ping);
        }
        co_await peer.send_all(frame(last_text, "at last"));
    });
    co_await testing::wait_until_idle();
    CHECK(!pinging.done());
    std::string answers(big.size() + 10 + 3000 * 127, ' ');
    co_await peer.recv_exactly(answers);
    CHECK(co_await waiting == "at last");
    co_await sending;
    co_await pinging;
}

LEAT_TEST("of sends that are cancelled, to a peer that takes nothing, only the first is kept",
          on(testing::simulated)) {
    two_sockets both({.capacity = 100});
    const std::string big(1000, 'b');
    for (int i = 0; i < 10; ++i) {
        CHECK(!co_await move_on_after(1s, both.client.send(big)));
    }
    auto sending = spawn([&]() -> task<> { co_await both.client.send("next"); });
    CHECK(co_await received(both.server) == big);
    CHECK(co_await received(both.server) == "next");
    co_await sending;
}

LEAT_TEST("a send that is cancelled midway breaks nothing: its rest leaves with the next",
          on(testing::simulated)) {
    two_sockets both({.capacity = 100});
    const std::string big(1000, 'b');
    CHECK(!co_await move_on_after(1s, both.client.send(big)));
    auto sending = spawn([&]() -> task<> { co_await both.client.send("next"); });
    CHECK(co_await received(both.server) == big);
    CHECK(co_await received(both.server) == "next");
    co_await sending;
}

}  // namespace leat::websocket
