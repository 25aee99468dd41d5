// SPDX-License-Identifier: MIT
// What a handler sends around the body of its answer: interim answers before, trailers behind.
#include "../../support/any_folder.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

// What `action` throws as std::invalid_argument; empty if nothing.
leat::task<std::string> refusal(leat::task<> action) {
    try {
        co_await std::move(action);
    } catch (const std::invalid_argument& refused) {
        co_return refused.what();
    }
    co_return "";
}

leat::task<> add_trailer(response_writer& to, std::string name, std::string value) {
    to.add_trailer(name, value);
    co_return;
}

}  // namespace

LEAT_TEST("interim answers go before the answer, behind earlier answers, and not to HTTP/1.0") {
    const auto hints = [](const request& asked, response_writer& to) -> leat::task<> {
        if (asked.target == "/plain") {
            to.head().body = "plain";
            co_return;
        }
        co_await to.send_interim(102);
        co_await to.send_interim(103, {{"Link", "</a.css>; rel=preload"}, {"Content-Length", "9"}});
        to.head().body = "page";
    };
    co_await serving(hints, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string interim =
            "HTTP/1.1 102 Processing\r\n\r\n"
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
        const std::string all = co_await answers_to(where, get("/plain") + get("/") + get("/plain"));
        CHECK(all == ok("plain") + interim + ok("page") + ok("plain"));
        const std::string old = co_await answers_to(where, "GET / HTTP/1.0\r\n\r\n");
        CHECK(old == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage");
        leat::http::client client({.environment_proxies = false});
        const auto page = co_await client.get("http://" + where.to_string() + "/");
        CHECK(page.body == "page");
    });
}

LEAT_TEST("an interim answer has a status 1xx of its own, and does not come behind a piece") {
    const auto tries = [](const request&, response_writer& to) -> leat::task<> {
        for (const int status : {100, 101, 200, 99, 1000}) {
            const std::string refused = co_await refusal(to.send_interim(status));
            CHECK(refused == "an interim answer with status " + std::to_string(status));
        }
        co_await to.write("one");
        const std::string late = co_await refusal(to.send_interim(103));
        CHECK(late == "an interim answer comes before the answer");
    };
    co_await serving(tries, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/"));
        CHECK(all == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n");
    });
}

TEST_CASE("a handler that fails behind an interim answer is answered with 500") {
    leat::testing::said.clear();
    leat::run(
        []() -> leat::task<> {
            const auto fails = [](const request&, response_writer& to) -> leat::task<> {
                co_await to.send_interim(103);
                throw std::runtime_error("no luck");
            };
            co_await serving(fails, unattended, [](leat::endpoint where) -> leat::task<> {
                const std::string all = co_await answers_to(where, get("/"));
                CHECK(all == "HTTP/1.1 103 Early Hints\r\n\r\n" + leat::testing::failed);
            });
        },
        {.report = leat::testing::remember_said});
    CHECK(leat::testing::said.size() == 1);
}

LEAT_TEST("trailers come behind a body in chunks, and are left out elsewhere") {
    const auto sums = [](const request& asked, response_writer& to) -> leat::task<> {
        if (asked.target == "/counted") {
            to.head().headers.add("Content-Length", "3");
        }
        to.add_trailer("Digest", "x=1");
        if (asked.target != "/unwritten") {
            co_await to.write("one");
        }
        to.add_trailer("X-Time", "2");
    };
    co_await serving(sums, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/") + get("/counted") + get("/unwritten"));
        CHECK(all ==
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
              "0\r\nDigest: x=1\r\nX-Time: 2\r\n\r\n" +
                  ok("one") + ok(""));
        const std::string head = co_await answers_to(where, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(head.ends_with("\r\n\r\n"));
        CHECK(head.find("Digest") == head.npos);
        const std::string old = co_await answers_to(where, "GET / HTTP/1.0\r\n\r\n");
        CHECK(old.ends_with("\r\n\r\none"));
        leat::http::client client({.environment_proxies = false});
        for (int i = 0; i < 2; ++i) {
            const auto page = co_await client.get("http://" + where.to_string() + "/");
            CHECK(page.body == "one");
        }
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("a field that may not come behind a body is refused, and so is one that is none") {
    const auto tries = [](const request&, response_writer& to) -> leat::task<> {
        for (const std::string name :
             {"Content-Length", "transfer-encoding", "HOST", "Content-Type", "Set-Cookie", "Trailer",
              "Connection", "Authorization", "Cache-Control", "Date", "Vary", "If-Match", "Range"}) {
            const std::string refused = co_await refusal(add_trailer(to, name, "x"));
            CHECK(refused == "the field " + name + " may not be a trailer");
        }
        const std::string line = co_await refusal(add_trailer(to, "X", "a\r\nHost: b"));
        CHECK(line == "header X holds a line break or another control character");
        co_await to.write("one");
    };
    co_await serving(tries, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/"));
        CHECK(all.ends_with("3\r\none\r\n0\r\n\r\n"));
    });
}

LEAT_TEST("the last request that a connection may have is answered, and closes it") {
    const auto target = [](const request& asked) -> leat::task<response> {
        response made;
        made.body = asked.target;
        co_return made;
    };
    leat::http::serve_options options = unattended;
    options.limits.requests = 3;
    co_await serving(target, options, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/1") + get("/2") + get("/3") + get("/4"));
        CHECK(all ==
              ok("/1") + ok("/2") + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/3");
        leat::http::client client({.environment_proxies = false});
        for (int i = 0; i < 7; ++i) {
            const auto page = co_await client.get("http://" + where.to_string() + "/" + std::to_string(i));
            CHECK(page.body == "/" + std::to_string(i));
        }
    });
}

LEAT_TEST("for an answer without a body a file is not read to its end") {
    const leat::testing::any_folder files;
    co_await files.make();
    co_await leat::write_file(files.path("page"), std::string(100'000, 'p'));
    bool done = false;
    const auto gives = [&](const request&, response_writer& to) -> leat::task<> {
        auto page = co_await leat::file::open(files.path("page"));
        to.head().headers.add("Content-Length", "1000000000");
        co_await to.write_file(page, 0, 1'000'000'000);
        done = true;
    };
    co_await serving(gives, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string head = co_await answers_to(where, "HEAD / HTTP/1.0\r\n\r\n");
        CHECK(head == "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\nConnection: close\r\n\r\n");
    });
    CHECK(done);
}
