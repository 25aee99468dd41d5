// SPDX-License-Identifier: MIT
// Handlers that read the bodies of their requests, as they arrive and as far as they like.
#include "../../support/any_folder.hpp"
#include "bodies.hpp"

#include <leat/system/file.hpp>
#include <leat/testing/doctest.hpp>

#include <array>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::chunked;
using leat::testing::come_by_now;
using leat::testing::counted;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::post;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

LEAT_TEST("a handler gets its request before the body, and each piece when it has come") {
    for (const bool in_chunks : {false, true}) {
        leat::testing::shown_reading shown;
        const auto reads = [&](const request&, request_body_reader& body) { return shown.read(body); };
        co_await serving(reads, unattended, [&](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(
                post("/", in_chunks ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 6\r\n"));
            co_await shown.until("head ");
            co_await peer.send_all(in_chunks ? "3\r\none\r\n" : "one");
            co_await shown.until("head one");
            co_await peer.send_all(in_chunks ? "3\r\ntwo\r\n0\r\n\r\n" : "two");
            co_await shown.until("head onetwo");
            peer.shutdown_send();
            const std::string all = without_dates(co_await rest_of(peer));
            CHECK(all == ok("head onetwo6"));
        });
    }
}

LEAT_TEST("the size of a body is known if the client has said it, and a request without a body has none") {
    co_await serving(leat::testing::tell_size, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(
            where, counted("/", "abc") + get("/") + chunked("/", "2\r\nhi\r\n0\r\n\r\n") + counted("/", ""));
        CHECK(all == ok("3:abc") + ok("0:") + ok("unknown:hi") + ok("0:"));
    });
}

LEAT_TEST("what a handler does not read is not received", on(simulated)) {
    leat::event read_now;
    constexpr std::size_t size = 50'000'000;
    const auto waits = [&](const request&, request_body_reader& body) -> leat::task<response> {
        body.set_limit(size);
        co_await read_now.wait();
        std::size_t count = 0;
        for (;;) {
            const std::string_view piece = co_await body.read();
            if (piece.empty()) {
                break;
            }
            count += piece.size();
        }
        response made;
        made.body = std::to_string(count);
        co_return made;
    };
    co_await serving(waits, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        const std::string sent = counted("/", std::string(size, 'b'));
        auto sending = leat::spawn([&]() -> leat::task<> { co_await peer.send_all(sent); });
        co_await leat::sleep(1h);
        CHECK_FALSE(sending.done());
        read_now.set();
        co_await sending;
        peer.shutdown_send();
        const std::string all = without_dates(co_await rest_of(peer));
        CHECK(all == ok(std::to_string(size)));
    });
}

LEAT_TEST("100 Continue is sent when the handler begins to read, once", on(simulated)) {
    leat::event read_now;
    const auto waits = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        if (asked.target == "/1") {
            co_return response();
        }
        co_await read_now.wait();
        response made;
        made.body = co_await body.read_all();
        co_return made;
    };
    co_await serving(waits, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/1") + post("/", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
        const std::string before = co_await come_by_now(peer);
        CHECK(before == ok(""));
        read_now.set();
        const std::string interim = co_await come_by_now(peer);
        CHECK(interim == "HTTP/1.1 100 Continue\r\n\r\n");
        co_await peer.send_all("so");
        co_await leat::sleep(1s);
        co_await peer.send_all("me" + get("/1"));
        const std::string after = co_await come_by_now(peer);
        CHECK(after == ok("some") + ok(""));
    });
}

LEAT_TEST("the limit of a body is the server's, or the handler's own", on(simulated)) {
    const std::string too_large =
        "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n"
        "Connection: close\r\n\r\nContent Too Large\n";
    const auto limited = [](const request& asked, request_body_reader& body) -> leat::task<response> {
        response made;
        if (asked.target == "/more") {
            body.set_limit(12);
            made.body = co_await body.read_all();
        } else if (asked.target == "/less") {
            made.body = co_await body.read_all(3);
        } else if (asked.target == "/own") {
            const auto all = co_await leat::as_result(body.read_all());
            const auto again = co_await leat::as_result(body.read());
            CHECK(all.error() == leat::http::error::body_too_large);
            CHECK(again.error() == leat::http::error::body_too_large);
            made.status = 422;
        } else {
            made.body = co_await body.read_all();
        }
        co_return made;
    };
    leat::http::serve_options options = unattended;
    options.limits.body_bytes = 10;
    co_await serving(limited, options, [&](leat::endpoint where) -> leat::task<> {
        const std::string chunks = "6\r\nchunks\r\n5\r\nother\r\n0\r\n\r\n";
        for (const bool in_chunks : {false, true}) {
            const auto ask = [&](std::string_view target) {
                return in_chunks ? chunked(target, chunks) : counted(target, "chunksother");
            };
            const std::string more = co_await answers_to(where, ask("/more") + get("/"));
            CHECK(more == ok("chunksother") + ok(""));
            const std::string less = co_await answers_to(where, ask("/less") + get("/"));
            CHECK(less == too_large);
            const std::string servers = co_await answers_to(where, get("/") + ask("/") + get("/"));
            CHECK(servers == ok("") + too_large);
            const std::string own = co_await answers_to(where, ask("/own"));
            CHECK(own.starts_with("HTTP/1.1 422 "));
        }
        const std::string unasked =
            co_await answers_to(where, post("/", "Content-Length: 11\r\nExpect: 100-continue\r\n"));
        CHECK(unasked == too_large);  // before any 100
    });
}

TEST_CASE(
    "a body that is cut short or malformed is the client's fault: an error for the handler, then a 400") {
    leat::testing::said.clear();
    std::vector<std::error_code> met;
    leat::run(
        [&]() -> leat::task<> {
            const auto fails = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
                const auto all = co_await leat::as_result(body.read_all());
                met.push_back(all.error());
                response made;
                if (asked.target == "/throw") {
                    made.body = co_await body.read_all();
                }
                co_return made;
            };
            co_await serving(fails, unattended, [](leat::endpoint where) -> leat::task<> {
                const std::string short_one =
                    co_await answers_to(where, post("/throw", "Content-Length: 9\r\n") + "four");
                CHECK(short_one.starts_with("HTTP/1.1 400 "));
                const std::string bad = co_await answers_to(where, chunked("/throw", "nonsense\r\n"));
                CHECK(bad.starts_with("HTTP/1.1 400 "));
                const std::string own = co_await answers_to(where, chunked("/own", "2\r\nab!") + get("/"));
                CHECK(own == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            });
        },
        {.report = leat::testing::remember_said});
    CHECK(met == std::vector<std::error_code>{leat::http::error::truncated_body, leat::http::error::bad_chunk,
                                              leat::http::error::bad_chunk});
    CHECK(leat::testing::said.empty());
}

TEST_CASE("what a handler throws for another reason is a 500 and reported, also behind a bad body") {
    leat::testing::said.clear();
    leat::run(
        []() -> leat::task<> {
            const auto fails = [](const request&, request_body_reader& body) -> leat::task<response> {
                (void)co_await leat::as_result(body.read_all());
                throw std::runtime_error("no luck");
            };
            co_await serving(fails, unattended, [](leat::endpoint where) -> leat::task<> {
                const std::string all = co_await answers_to(where, chunked("/x", "nonsense\r\n"));
                CHECK(all == leat::testing::failed);
            });
        },
        {.report = leat::testing::remember_said});
    CHECK(leat::testing::said == std::vector<std::string>{"POST /x: no luck"});
}

LEAT_TEST("a read that is cancelled loses nothing", on(simulated)) {
    const auto patient = [](const request&, request_body_reader& body) -> leat::task<response> {
        response made;
        for (;;) {
            const auto piece = co_await leat::move_on_after(1s, body.read());
            if (piece && piece->empty()) {
                break;
            }
            made.body += piece ? *piece : ".";
        }
        co_return made;
    };
    co_await serving(patient, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post("/", "Content-Length: 6\r\n"));
        for (const std::string_view piece : {"on", "et", "wo"}) {
            co_await leat::sleep(1500ms);
            co_await peer.send_all(piece);
        }
        const std::string all = co_await come_by_now(peer);
        CHECK(all.substr(all.size() - 9) == ".on.et.wo");
    });
}

LEAT_TEST("a handler may answer while it reads, and copy what comes to its answer") {
    const auto echo = [](const request&, request_body_reader& body, response_writer& to) -> leat::task<> {
        const std::uint64_t size = co_await body.copy_to(to);
        co_await to.write(std::to_string(size));
    };
    co_await serving(echo, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post("/", "Transfer-Encoding: chunked\r\n"));
        std::string got;
        std::array<char, 512> part{};
        for (const std::string_view piece : {"one", "two"}) {
            co_await peer.send_all("3\r\n", piece, "\r\n");
            while (got.find(piece) == got.npos) {
                const std::size_t count = co_await peer.recv(part);
                REQUIRE(count > 0);
                got.append(part.data(), count);
            }
        }
        co_await peer.send_all("0\r\n\r\n" + get("/"));
        peer.shutdown_send();
        got += co_await rest_of(peer);
        const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        CHECK(without_dates(got) ==
              head + "3\r\none\r\n3\r\ntwo\r\n1\r\n6\r\n0\r\n\r\n" + head + "1\r\n0\r\n0\r\n\r\n");
    });
}

LEAT_TEST("a body is copied into a file, at an offset, too") {
    const leat::testing::any_folder folder;
    co_await folder.make();
    const std::string path = folder.path("upload");
    const auto store = [&](const request&, request_body_reader& body) -> leat::task<response> {
        auto upload = co_await leat::file::create(path);
        co_await upload.write_at(0, "head ");
        const std::uint64_t size = co_await body.copy_to(upload, 5);
        co_await upload.close();
        response made;
        made.status = 201;
        made.body = std::to_string(size);
        co_return made;
    };
    std::string content;
    for (int i = 0; i < 100'000; ++i) {
        content += std::to_string(i);
    }
    co_await serving(store, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, counted("/", content));
        CHECK(all.ends_with("\r\n\r\n" + std::to_string(content.size())));
    });
    auto stored = co_await leat::file::open(path);
    std::string read(content.size() + 5, ' ');
    co_await stored.read_exactly_at(0, read);
    const bool same = read == "head " + content;
    CHECK(same);
    const auto about = co_await stored.info();
    CHECK(about.size == read.size());
}

LEAT_TEST("gone() waits until the body has been read, and hears of a client that ends before",
          on(simulated)) {
    std::string seen;
    leat::event ended;
    const auto watches = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        auto gone = leat::spawn(asked.connection->gone());
        const auto all = co_await leat::as_result(body.read_all());
        seen = all.ok() ? *all : all.error().message();
        co_await gone.join();
        seen += " gone";
        ended.set();
        co_return response();
    };
    co_await serving(watches, unattended, [&](leat::endpoint where) -> leat::task<> {
        for (const std::string_view sent : {"12345", "123"}) {
            ended.reset();
            seen.clear();
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(post("/", "Content-Length: 5\r\n") + std::string(sent));
            co_await leat::sleep(1s);
            CHECK(seen == (sent == "123" ? "" : "12345"));
            peer.shutdown_send();
            co_await ended.wait();
            CHECK(seen.ends_with(" gone"));
        }
    });
}
