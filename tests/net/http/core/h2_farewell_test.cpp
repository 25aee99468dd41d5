// SPDX-License-Identifier: MIT
// How an HTTP/2 connection without I/O goes away: no request is lost.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

using namespace std::chrono_literals;
using leat::http::response;
using leat::testing::h2_client;
using leat::testing::h2_frame;
using leat::testing::h2_number;
using leat::testing::h2_server;

namespace {

constexpr std::int32_t highest_stream = 0x7fff'ffff;

response say_target(const leat::http::request& asked) {
    response made;
    made.body = asked.target;
    return made;
}

}  // namespace

LEAT_TEST("a server that goes away takes what was on its way, and says then which request was the last",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto before = client.ask("/before");
    server.receive(client.take_out());
    server.session.go_away(server.now);
    server.session.go_away(server.now);  // says no more
    const std::string announced = server.take_out();
    const auto on_its_way = client.ask("/on-its-way");
    server.receive(client.take_out());
    client.receive(announced);
    CHECK(client.goaway() == NGHTTP2_NO_ERROR);
    CHECK(client.last_stream() == highest_stream);
    CHECK(!server.session.finished());
    server.receive(client.take_out());  // the ping is answered
    client.receive(server.take_out());
    CHECK(client.last_stream() == on_its_way);
    CHECK(!server.session.finished());
    server.answer_all(say_target);
    client.receive(server.take_out());
    CHECK(client.of(before).body == "/before");
    CHECK(client.of(on_its_way).body == "/on-its-way");
    CHECK(server.session.finished());
    co_return;
}

LEAT_TEST("a server that goes away waits a second for a client that does not answer",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto before = client.ask("/before");
    server.receive(client.take_out());
    server.answer_all(say_target);
    server.session.go_away(server.now);
    client.receive(server.take_out());
    CHECK(server.session.end_late(server.now) == server.now + 1s);
    CHECK(client.last_stream() == highest_stream);
    CHECK(!server.session.finished());
    server.now += 1s;
    CHECK(server.session.end_late(server.now) > server.now + 1h);
    const std::string last = h2_number(static_cast<std::uint32_t>(before)) + h2_number(NGHTTP2_NO_ERROR);
    CHECK(server.take_out() == h2_frame(NGHTTP2_GOAWAY, 0, 0, last));
    CHECK(server.session.finished());
    co_return;
}

LEAT_TEST("a server refuses what comes before it has said which request was the last",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto before = client.ask("/before");
    server.receive(client.take_out());
    server.session.go_away(server.now);
    const std::string announced = server.take_out();
    const auto behind = client.ask("/behind");
    const std::string late = client.take_out();
    client.receive(announced);
    server.receive(client.take_out());
    server.receive(late);
    int handled = 0;
    server.answer_all([&](const leat::http::request& asked) {
        ++handled;
        return say_target(asked);
    });
    client.receive(server.take_out());
    CHECK(handled == 1);
    CHECK(client.last_stream() == before);
    CHECK(client.of(before).whole);
    CHECK(client.of(behind).status == 0);
    co_return;
}
