// SPDX-License-Identifier: MIT
// Fields of HTTP/2 that come behind bodies, of requests and of answers, and answers before the answer.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <stdexcept>

using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::h2_peer;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<leat::any_stream> dial_for_trailers(leat::endpoint where) {
    leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
    co_return leat::any_stream(std::move(made));
}

response trailers_of(const request& asked) {
    response made;
    made.body = asked.body + std::string(asked.trailers.wire()) + std::string(*asked.headers.get("Host"));
    return made;
}

leat::task<response> tell_trailers(const request& asked) {
    co_return trailers_of(asked);
}

leat::task<response> read_trailers(const request& asked, request_body_reader& body) {
    CHECK(asked.trailers.empty());
    const std::string all = co_await body.read_all();
    CHECK(all == "body");
    response made = trailers_of(asked);
    made.body.insert(0, all);
    co_return made;
}

leat::task<> ask_with_trailers(leat::endpoint where) {
    h2_peer peer(co_await dial_for_trailers(where));
    const auto asked = peer.begin("/", "body");
    co_await peer.flush();
    peer.end_body(asked, {{"digest", "x=y"}, {"host", "evil"}, {"content-type", "a/b"}, {"x-two", "2"}});
    leat::http::headers many;
    for (int i = 0; i < 300; ++i) {
        many.add("a", "b");
    }
    const auto too_many = peer.begin("/", "body");
    peer.end_body(too_many, many);
    const auto too_long = peer.begin("/", "body");
    peer.end_body(too_long, {{"a", std::string(15'000, 'a')}, {"b", std::string(15'000, 'b')}});
    const bool all = co_await peer.finish({asked, too_many, too_long});
    CHECK(all);
    CHECK(peer.of(asked).body == "bodydigest: x=y\r\nx-two: 2\r\na");
    CHECK(peer.of(too_many).status == 431);
    CHECK(peer.of(too_long).status == 431);
    const auto after = peer.ask("/", "POST", "body");
    const bool answered = co_await peer.finish(after);
    CHECK(answered);
    CHECK(peer.of(after).body == "bodya");
}

leat::task<> write_trailers(const request& asked, response_writer& writer) {
    writer.add_trailer("Digest", "x=y");
    writer.add_trailer("X-Two", "2");
    if (asked.target == "/long") {
        writer.add_trailer("X-Long", std::string(70'000, 'x'));
    }
    if (asked.target == "/counted") {
        writer.head().headers.add("Content-Length", "4");
    }
    if (asked.target == "/whole") {
        writer.head().body = "body";
    } else if (asked.target == "/large") {
        co_await writer.write(std::string(200'000, 'b'));
    } else if (asked.target == "/empty") {
        co_await writer.write("");
    } else {
        co_await writer.write("body");
    }
}

leat::task<> hint_early(const request& asked, response_writer& writer) {
    bool refused = false;
    try {
        co_await writer.send_interim(101);
    } catch (const std::invalid_argument&) {
        refused = true;
    }
    CHECK(refused);
    co_await writer.send_interim(103, {{"Link", "</a.css>; rel=preload"}, {"Connection", "close"}});
    co_await writer.send_interim(102);
    if (asked.target == "/written") {
        co_await writer.write("body");
        refused = false;
        try {
            co_await writer.send_interim(103);
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        CHECK(refused);
        co_return;
    }
    writer.head().body = "body";
}

}  // namespace

LEAT_TEST("trailers of an HTTP/2 request are there once its body has been read, if they are allowed") {
    leat::http::serve_options options = unattended;
    options.limits.header_bytes = 20'000;
    co_await serving(tell_trailers, options, ask_with_trailers);
    co_await serving(read_trailers, options, ask_with_trailers);
}

LEAT_TEST("trailers of an HTTP/2 answer leave behind its body") {
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {};
    co_await serving(write_trailers, options, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_for_trailers(where), 5000);
        for (const std::string_view target : {"/", "/counted", "/large", "/empty"}) {
            const auto asked = peer.ask(target);
            const bool all = co_await peer.finish(asked);
            CHECK(all);
            CHECK(peer.of(asked).whole);
            CHECK(peer.of(asked).trailers.wire() == "digest: x=y\r\nx-two: 2\r\n");
            CHECK(peer.of(asked).body.size() == (target == "/large"   ? 200'000U
                                                 : target == "/empty" ? 0U
                                                                      : 4U));
        }
        const auto head = peer.ask("/", "HEAD");
        const auto whole = peer.ask("/whole");
        const auto too_long = peer.ask("/long");
        const bool all = co_await peer.finish({head, whole, too_long});
        CHECK(all);
        CHECK(peer.of(head).whole);
        CHECK(peer.of(head).trailers.empty());
        CHECK(peer.of(whole).trailers.empty());
        CHECK(peer.of(whole).body == "body");
        CHECK(peer.of(too_long).reset == NGHTTP2_INTERNAL_ERROR);
    });
}

LEAT_TEST("a handler of HTTP/2 sends interim answers before its own, and not behind it") {
    co_await serving(hint_early, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_for_trailers(where));
        const auto whole = peer.ask("/");
        const auto written = peer.ask("/written");
        const bool all = co_await peer.finish({whole, written});
        CHECK(all);
        for (const auto id : {whole, written}) {
            CHECK(peer.of(id).interim == std::vector{103, 102});
            CHECK(peer.of(id).status == 200);
            CHECK(peer.of(id).fields.get("link") == "</a.css>; rel=preload");
            CHECK(!peer.of(id).fields.contains("connection"));
            CHECK(peer.of(id).body == "body");
        }
    });
}
