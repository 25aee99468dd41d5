// SPDX-License-Identifier: MIT
// Fields that come behind the body of a request.
#include "bodies.hpp"

#include <leat/testing/doctest.hpp>

using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::testing::answers_to;
using leat::testing::chunked;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::read_some;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

LEAT_TEST("trailers are there once the body has been read, but for those that would deceive") {
    const std::string sent =
        chunked("/", "2\r\nab\r\n0\r\nDigest: x=y\r\nHost: evil\r\ncontent-length: 9\r\nX-Two:  2 \r\n\r\n");
    const auto told = [](const request& asked) {
        response made;
        made.body.assign(asked.trailers.wire());
        made.body += std::string(*asked.headers.get("Host"));
        return made;
    };
    const auto reads = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        CHECK(asked.trailers.empty());
        (void)co_await body.read_all();
        co_return told(asked);
    };
    const auto given = [&](const request& asked) -> leat::task<response> { co_return told(asked); };
    const auto check_trailers = [&](leat::endpoint where) -> leat::task<> {
        const std::string expected = ok("Digest: x=y\r\nX-Two: 2\r\na");
        const std::string all = co_await answers_to(where, sent + sent + get("/"));
        CHECK(all == expected + expected + ok("a"));
        for (std::size_t cut = 1; cut < sent.size(); cut += 3) {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(sent.substr(0, cut));
            for (int i = 0; i < 4; ++i) {
                co_await leat::yield();
            }
            co_await peer.send_all(sent.substr(cut));
            peer.shutdown_send();
            const std::string in_pieces = without_dates(co_await rest_of(peer));
            CHECK(in_pieces == expected);
        }
    };
    co_await serving(reads, unattended, check_trailers);
    co_await serving(given, unattended, check_trailers);
}

LEAT_TEST("too many trailers are refused") {
    std::string many = "0\r\n";
    for (int i = 0; i < 300; ++i) {
        many += "a:\r\n";
    }
    const std::string sent = chunked("/all", many + "\r\n");
    co_await serving(read_some, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, sent);
        CHECK(all.starts_with("HTTP/1.1 431 "));
    });
}
