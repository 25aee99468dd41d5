// SPDX-License-Identifier: MIT
// Fields that come behind the bodies of answers, as the client gives them.
#include "serving.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>
#include <vector>

using leat::http::fetched;
using leat::http::http_versions;
using leat::http::request;
using leat::http::response_stream;
using leat::http::response_writer;
using leat::testing::serving;
using leat::testing::unattended;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;

namespace {

// "/plain" has none.
leat::task<> write_sum(const request& asked, response_writer& writer) {
    if (asked.target != "/plain") {
        writer.add_trailer("x-sum", asked.target);
        writer.add_trailer("x-two", "2");
    }
    for (int piece = 0; piece < 3; ++piece) {
        co_await writer.write("piece");
    }
}

leat::task<> ask_for_sums(leat::http::client& client, std::string origin) {
    const fetched page = co_await client.get(origin + "/a");
    CHECK(page.body == "piecepiecepiece");
    CHECK(page.trailers.wire() == "x-sum: /a\r\nx-two: 2\r\n");
    const fetched plain = co_await client.get(origin + "/plain");
    CHECK(plain.trailers.empty());
    response_stream reply = co_await client.open(origin + "/b");
    for (;;) {
        CHECK(reply.trailers().empty());
        const std::string_view piece = co_await reply.read();
        if (piece.empty()) {
            break;
        }
    }
    CHECK(reply.trailers().get("x-sum") == "/b");
    std::string read;
    const auto keep = [&](std::string_view piece) { read += piece; };
    const fetched kept = co_await client.get(origin + "/c", keep);
    CHECK(read == "piecepiecepiece");
    CHECK(kept.trailers.get("x-sum") == "/c");
}

}  // namespace

LEAT_TEST("a client gives the trailers of an answer once its body has been read") {
    std::vector<http_versions> spoken{http_versions::only_1_1};
#if LEAT_HAS_HTTP2
    spoken.push_back(http_versions::prior_knowledge);
#endif
    co_await serving(write_sum, unattended, [&](leat::endpoint where) -> leat::task<> {
        for (const http_versions each : spoken) {
            leat::http::client client({.environment_proxies = false, .versions = each});
            co_await ask_for_sums(client, "http://" + where.to_string());
        }
    });
}

LEAT_TEST("trailers of an answer are read as leniently as its head, but for those that would deceive") {
    http_origin origin([](const std::string& head) -> answer {
        const std::string lines = path_of(head) == "/feeds"
                                      ? "A: 1\nB: 2\n\n"
                                      : "Content-Length: 7\r\nset-cookie: a=b\r\nA: 1 \r\n"
                                        "no field\r\nno name: x\r\nC: \x01\r\n: y\r\n"
                                        "D: 3\r\n  folded\r\nB:2\r\n\r\n";
        return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n" + lines};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* path : {"/feeds", "/fields", "/fields"}) {
            CAPTURE(path);
            const fetched page = co_await client.get(origin.url(path));
            CHECK(page.body == "body");
            CHECK(page.trailers.wire() == "A: 1\r\nB: 2\r\n");
            CHECK_FALSE(page.headers.contains("Content-Length"));
        }
    });
}

LEAT_TEST("trailers of an answer that are too many, or too long, are an error") {
    http_origin origin([](const std::string& head) -> answer {
        std::string lines;
        for (int line = 0; line < 257; ++line) {
            lines += path_of(head) == "/many" ? "A: b\r\n" : "A: " + std::string(300, 'b') + "\r\n";
        }
        return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n" + lines + "\r\n"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string many = co_await error_of(client.get(origin.url("/many")));
        CHECK(many == origin.url("/many") + ": the message has more header lines than the limit");
        const std::string large = co_await error_of(client.get(origin.url("/long")));
        CHECK(large ==
              origin.url("/long") + ": the trailer behind the chunked body is larger than the limit");
    });
}
