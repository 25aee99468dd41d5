// SPDX-License-Identifier: MIT
// Streams of an HTTP/2 connection that end before their answers have left.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

#include <cstdint>
#include <string>
#include <vector>

using leat::http::response;
using leat::http::detail::h2_stream;
using leat::testing::h2_client;
using leat::testing::h2_fields;
using leat::testing::h2_frame;
using leat::testing::h2_server;

namespace {

response small_page(const leat::http::request&) {
    response made;
    made.body = "page";
    return made;
}

// All of an answer has left but its end: its bytes are as many as the client has given a window for.
void write_all_but_the_end(h2_server& server, h2_client& client) {
    h2_stream& stream = *server.session.take_request();
    (void)server.session.begin(stream, {});
    server.session.give(stream, "page", server.now);
    client.receive(server.take_out());
    CHECK(stream.pending.empty());
    server.session.finish(stream, server.now);
    server.session.handler_ended(stream);
    client.receive(server.take_out());
}

}  // namespace

LEAT_TEST("a client that ends behind the head of a body that is too long does no harm",
          on(leat::testing::simulated)) {
    leat::http::server_limits limits;
    limits.body_bytes = 10;
    h2_server server(limits);
    std::string bytes(leat::testing::h2_preface);
    bytes += h2_frame(NGHTTP2_SETTINGS, 0, 0);
    bytes +=
        h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, h2_fields({{"content-length", "11"}}, "POST"));
    server.receive(bytes);
    server.session.end_of_input();
    h2_client client;
    client.receive(server.take_out());
    CHECK(server.session.idle());
    CHECK(!server.session.failed());
    co_return;
}

LEAT_TEST("answers that have not left when the connection is lost go nowhere", on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    const auto asked = client.ask("/");
    server.receive(client.take_out());
    server.answer_all(small_page);
    server.session.lose();
    CHECK(server.session.idle());
    client.receive(server.take_out());
    CHECK(client.of(asked).body.empty());
    co_return;
}

LEAT_TEST("an answer that took long to make has all of its time to leave", on(leat::testing::simulated)) {
    h2_client client(0);
    h2_server server;
    const auto asked = client.ask("/");
    server.receive(client.take_out());
    server.now += 10 * server.limits.send;
    server.answer_all(small_page);
    CHECK(server.session.end_late(server.now) == server.now + server.limits.send);
    client.receive(server.take_out());
    CHECK(!client.of(asked).reset);
    CHECK(client.of(asked).status == 200);
    server.now += server.limits.send;
    (void)server.session.end_late(server.now);
    client.receive(server.take_out());
    CHECK(client.of(asked).reset == NGHTTP2_CANCEL);
    co_return;
}

LEAT_TEST("an answer whose end waits for a window is cut off when that takes too long",
          on(leat::testing::simulated)) {
    h2_client client(4);
    h2_server server;
    const auto asked = client.ask("/");
    server.receive(client.take_out());
    write_all_but_the_end(server, client);
    CHECK(client.of(asked).body == "page");
    CHECK(!client.of(asked).whole);
    CHECK(server.session.end_late(server.now) == server.now + server.limits.send);
    server.now += server.limits.send;
    (void)server.session.end_late(server.now);
    client.receive(server.take_out());
    CHECK(client.of(asked).reset == NGHTTP2_CANCEL);
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("a client that gives no window for the end of an answer gets that when it does",
          on(leat::testing::simulated)) {
    h2_client client(4);
    h2_server server;
    const auto asked = client.ask("/");
    server.receive(client.take_out());
    write_all_but_the_end(server, client);
    server.receive(client.take_out());
    client.receive(server.take_out());
    CHECK(client.of(asked).whole);
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("a client that ends without a window for the end of an answer leaves nothing behind",
          on(leat::testing::simulated)) {
    h2_client client(4);
    h2_server server;
    client.ask("/");
    server.receive(client.take_out());
    write_all_but_the_end(server, client);
    server.session.end_of_input();
    CHECK(server.take_out().empty());
    server.session.drop_blocked();
    CHECK(server.session.idle());
    co_return;
}

LEAT_TEST("a body that its client gives up makes room for others that wait for that",
          on(leat::testing::simulated)) {
    constexpr std::size_t size = 1'000'000;
    h2_client client;
    h2_server server;
    std::vector<std::int32_t> asked;
    for (int i = 0; i < 6; ++i) {
        asked.push_back(client.begin("/", std::string(size, 'b')));
    }
    const auto talk = [&] {
        for (std::string sent = client.take_out(); !sent.empty(); sent = client.take_out()) {
            server.receive(sent);
            client.receive(server.take_out());
        }
    };
    talk();
    CHECK(client.unsent(asked[0]) == 0);
    CHECK(client.unsent(asked[1]) > 0);
    CHECK(client.unsent(asked[2]) > 0);
    client.reset(asked[0]);
    talk();
    CHECK(client.unsent(asked[1]) == 0);
    co_return;
}
