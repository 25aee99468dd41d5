// SPDX-License-Identifier: MIT
// Streams of an HTTP/2 connection that end before their answers have left.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

#include <string>

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
