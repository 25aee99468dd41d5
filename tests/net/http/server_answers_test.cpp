// SPDX-License-Identifier: MIT
// Answers of handlers that do it in odd ways, or wrongly: what goes out is whole and in order, or an error.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <stdexcept>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::failed;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

namespace {

// "/fine" is answered; the others are ways to be wrong before anything has gone out.
leat::task<> write_wrongly(const request& asked, response_writer& writer) {
    response& head = writer.head();
    const std::string_view way = std::string_view(asked.target).substr(1);
    if (way == "fine") {
        head.body = "fine";
    } else if (way == "status") {
        head.status = 42;
    } else if (way == "status-written") {
        head.status = 1000;
        co_await writer.write("x");
    } else if (way == "interim") {
        head.status = 100;
    } else if (way == "reason") {
        head.reason = "OK\r\nEvil: 1";
    } else if (way == "length") {
        head.headers.add("Content-Length", "12x");
        co_await writer.write("x");
    } else if (way == "too-much") {
        head.headers.add("Content-Length", "3");
        co_await writer.write("more");
    } else if (way == "too-little") {
        head.headers.add("Content-Length", "3");
        co_await writer.write("");
    } else if (way == "both") {
        head.body = "body";
        co_await writer.write("piece");
    } else if (way == "odd") {
        throw 42;
    } else if (way == "throws") {
        co_await writer.write("");
        throw std::runtime_error("no luck");
    }
}

leat::task<response> give_wrongly(const request& asked) {
    response made;
    if (asked.target == "/status") {
        made.status = 42;
    } else if (asked.target == "/interim") {
        made.status = 101;
    } else if (asked.target == "/reason") {
        made.reason = "OK\r\nEvil: 1";
    } else if (asked.target == "/odd") {
        throw 42;
    } else if (asked.target == "/throws") {
        throw std::runtime_error("no luck");
    }
    made.body = "fine";
    co_return made;
}

// Writes a piece, and then fails.
leat::task<> fail_midway(const request& asked, response_writer& writer) {
    if (asked.target == "/fine") {
        writer.head().body = "fine";
        co_return;
    }
    if (asked.target == "/counted") {
        writer.head().headers.add("Content-Length", "3");
    }
    co_await writer.write("one");
    if (asked.target == "/counted") {
        co_await writer.write("two");
    }
    if (asked.target == "/both") {
        writer.head().body = "body";
        co_return;
    }
    throw 42;
}

}  // namespace

LEAT_TEST("a body that a writing handler leaves in the head is sent whole, whatever its length") {
    static std::string body;
    const auto handler = [](const request&, response_writer& writer) -> leat::task<> {
        writer.head().body = body;
        co_return;
    };
    co_await serving(handler, unattended, [](leat::endpoint where) -> leat::task<> {
        for (const std::size_t size : {0u, 1u, 16'384u, 16'385u, 300'000u, 1'000'000u}) {
            body.assign(size, 'b');
            const std::string all = co_await answers_to(where, get("/") + get("/"));
            const bool whole = all == ok(body) + ok(body);
            CHECK_MESSAGE(whole, size << " bytes");
        }
    });
}

LEAT_TEST("an answer that is none becomes a 500, and the answers before it are whole") {
    co_await serving(write_wrongly, unattended, [](leat::endpoint where) -> leat::task<> {
        for (const std::string way : {"status", "status-written", "interim", "reason", "length", "too-much",
                                      "too-little", "both", "odd", "throws"}) {
            const std::string all = co_await answers_to(where, get("/fine") + get("/" + way) + get("/fine"));
            CHECK_MESSAGE(all == ok("fine") + failed, way);
        }
    });
    co_await serving(give_wrongly, unattended, [](leat::endpoint where) -> leat::task<> {
        for (const std::string way : {"status", "interim", "reason", "odd", "throws"}) {
            const std::string all = co_await answers_to(where, get("/fine") + get("/" + way) + get("/fine"));
            CHECK_MESSAGE(all == ok("fine") + failed, way);
        }
    });
}

LEAT_TEST("an answer has the reason that its handler gives, or the usual one") {
    const auto handler = [](const request& asked, response_writer& writer) -> leat::task<> {
        writer.head().status = asked.target == "/own" ? 200 : 299;
        writer.head().reason = asked.target == "/usual" ? "" : "Gone Fishing";
        co_return;
    };
    co_await serving(handler, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/own") + get("/odd") + get("/usual"));
        CHECK(all ==
              "HTTP/1.1 200 Gone Fishing\r\nContent-Length: 0\r\n\r\n"
              "HTTP/1.1 299 Gone Fishing\r\nContent-Length: 0\r\n\r\n"
              "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
    });
}

LEAT_TEST("the length that an answer to HEAD gives is a number") {
    const auto handler = [](const request& asked) -> leat::task<response> {
        response made;
        made.headers.add("Content-Length", asked.target == "/fine" ? "12" : "12x");
        co_return made;
    };
    co_await serving(handler, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(
            where, "HEAD /fine HTTP/1.1\r\nHost: a\r\n\r\nHEAD /wrong HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(all ==
              "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + failed.substr(0, failed.find("Intern", 20)));
    });
}

LEAT_TEST("a handler that fails midway cuts the connection behind the answers before it") {
    co_await serving(fail_midway, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string head = "HTTP/1.1 200 OK\r\n";
        const std::string chunked = co_await answers_to(where, get("/fine") + get("/") + get("/fine"));
        CHECK(chunked == ok("fine") + head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        const std::string both = co_await answers_to(where, get("/fine") + get("/both"));
        CHECK(both == ok("fine") + head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        // The length is kept: what is too much is not sent, and nothing is missing.
        const std::string counted = co_await answers_to(where, get("/counted") + get("/fine"));
        CHECK(counted == head + "Content-Length: 3\r\n\r\none");
    });
}

LEAT_TEST("a body whose end is the connection's is cut by a reset") {
    co_await serving(fail_midway, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all("GET / HTTP/1.0\r\n\r\n");
        std::error_code ended;
        for (;;) {
            const auto more = co_await leat::as_result(peer.recv_chunk());
            if (!more.ok() || more->empty()) {
                ended = more.error();
                break;
            }
        }
        CHECK(ended == std::errc::connection_reset);
    });
}

TEST_CASE("what is wrong with an answer is reported, also when nobody can be told") {
    for (const bool midway : {false, true}) {
        leat::testing::said.clear();
        leat::run(
            [midway]() -> leat::task<> {
                const auto ask = [](leat::endpoint where) -> leat::task<> {
                    (void)co_await answers_to(where, get("/odd"));
                };
                if (midway) {
                    co_await serving(fail_midway, unattended, ask);
                } else {
                    co_await serving(write_wrongly, unattended, ask);
                }
            },
            {.report = leat::testing::remember_said});
        CHECK(leat::testing::said ==
              std::vector<std::string>{"GET /odd: an exception that is no std::exception"});
    }
}

LEAT_TEST("a write that was cancelled ends the answer: nothing goes out behind half of it") {
    leat::event cancelled;
    const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
        if (asked.target == "/fine") {
            writer.head().body = "fine";
            co_return;
        }
        const std::string big(8'000'000, 'b');
        const bool sent = co_await leat::move_on_after(10ms, writer.write(big));
        CHECK_FALSE(sent);
        const auto again = co_await leat::as_result(writer.write("again"));
        CHECK(again.error() == leat::stream_errc::broken);
        cancelled.set();
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/fine") + get("/") + get("/fine"));
        co_await cancelled.wait();  // takes nothing meanwhile
        const std::string all = without_dates(co_await rest_of(peer));
        const std::string begin =
            ok("fine") + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7a1200\r\n";
        CHECK(all.starts_with(begin));
        const bool nothing_behind = all.find_first_not_of('b', begin.size()) == all.npos;
        CHECK(nothing_behind);
    });
}
