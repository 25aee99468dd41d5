// SPDX-License-Identifier: MIT
#include "serving.hpp"

#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include "../../support/sanitizers.hpp"

#include <exception>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<response> echo_target(const request& asked) {
    response made;
    made.body = asked.method + " " + asked.target + "\n" + asked.body;
    if (asked.target == "/fails") {
        throw std::runtime_error("no luck");
    }
    if (asked.target == "/big") {
        made.body = std::string(1'000'000, 'b');
    }
    co_return made;
}

}  // namespace

LEAT_TEST("ten thousand requests are answered on one connection") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        leat::http::client client({.environment_proxies = false});
        const std::string url = "http://" + where.to_string() + "/x";
        constexpr int many = leat::testing::address_sanitized ? 1'000 : 10'000;
        int good = 0;
        for (int i = 0; i < many; ++i) {
            const auto page = co_await client.get(url);
            good += page.body == "GET /x\n" ? 1 : 0;
        }
        CHECK(good == many);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("pipelined requests are answered in order, wherever the bytes are cut") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string sent =
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            "HEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n"
            "PUT /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n1\r\ny\r\n0\r\n\r\n"
            "GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        const std::string expected =
            ok("GET /1\n") + ok("POST /2\nhello") + "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" +
            ok("PUT /4\nhey") + "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /5\n";
        const std::string whole = co_await answers_to(where, sent);
        CHECK(whole == expected);
        for (std::size_t cut = 1; cut < sent.size(); ++cut) {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(sent.substr(0, cut));
            for (int i = 0; i < 4; ++i) {
                co_await leat::yield();
            }
            co_await peer.send_all(sent.substr(cut));
            const std::string all = co_await rest_of(peer);
            CHECK(all.size() > expected.size());
            CHECK(all.ends_with("\r\n\r\nGET /5\n"));
        }
    });
}

LEAT_TEST("HTTP/1.0 and Connection: close end the connection, keep-alive does not") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string old = co_await answers_to(where, "GET / HTTP/1.0\r\n\r\n");
        CHECK(old == "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nGET /\n");
        const std::string kept = co_await answers_to(
            where,
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\nGET /no HTTP/1.0\r\n\r\n");
        CHECK(kept == "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nGET /\n" + old);
    });
}

LEAT_TEST("what is no request is refused with a status that says why") {
    leat::http::serve_options options = unattended;
    options.limits.body_bytes = 10;
    options.limits.header_bytes = 1000;
    co_await serving(echo_target, options, [](leat::endpoint where) -> leat::task<> {
        const auto status = [where](std::string bytes) -> leat::task<std::string> {
            const std::string all = co_await answers_to(where, bytes);
            CHECK(all.find("Connection: close\r\n") != all.npos);
            co_return all.substr(0, 12);
        };
        const std::string nonsense = co_await status("nonsense\r\n\r\n");
        CHECK(nonsense == "HTTP/1.1 400");
        const std::string no_host = co_await status("GET / HTTP/1.1\r\n\r\n");
        CHECK(no_host == "HTTP/1.1 400");
        const std::string version = co_await status("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
        CHECK(version == "HTTP/1.1 505");
        const std::string head = co_await status("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'));
        CHECK(head == "HTTP/1.1 431");
        const std::string target = co_await status("GET /" + std::string(1 << 20, 'x'));
        CHECK(target == "HTTP/1.1 414");
        const std::string endless = co_await status(std::string(1 << 20, 'X'));
        CHECK(endless == "HTTP/1.1 400");
        const std::string body =
            co_await status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world");
        CHECK(body == "HTTP/1.1 413");
        const std::string smuggled = co_await status(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        CHECK(smuggled == "HTTP/1.1 400");
        const std::string accents = co_await status("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(accents == "HTTP/1.1 400");
        const std::string method = co_await status("FOO / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(method == "HTTP/1.1 501");
        for (const std::string host : {"", "a:b", "a:99999", "]:["}) {
            const std::string refused = co_await status("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
            CHECK(refused == "HTTP/1.1 400");
        }
        const std::string coding = co_await status(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n");
        CHECK(coding == "HTTP/1.1 400");
        const std::string later = co_await status("GET / HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n");
        CHECK(later == "HTTP/1.1 200");
        const std::string tunnel = co_await answers_to(where, "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\nxyz");
        CHECK(tunnel ==
              "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
              "Connection: close\r\n\r\nNot Implemented\n");
    });
}

LEAT_TEST("a request that comes too slowly is answered with 408, an idle connection is closed silently") {
    leat::http::serve_options options = unattended;
    options.limits.head = 20ms;
    options.limits.body = 20ms;
    options.limits.idle = 20ms;
    co_await serving(echo_target, options, [](leat::endpoint where) -> leat::task<> {
        for (const std::string sent :
             {"GET / HTTP/1.1\r\nHost:", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhell"}) {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(sent);
            const std::string all = co_await rest_of(peer);
            CHECK(all.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        }
        auto idle = co_await leat::tcp_stream::connect(where);
        const std::string nothing = co_await rest_of(idle);
        CHECK(nothing.empty());
        auto kept = co_await leat::tcp_stream::connect(where);
        co_await kept.send_all(get("/"));
        const std::string answer = co_await rest_of(kept);
        CHECK(answer.ends_with("\r\n\r\nGET /\n"));
    });
}

LEAT_TEST("a client that waits for 100 Continue gets it before its body is read") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        std::string interim(25, ' ');
        co_await peer.recv_exactly(interim);
        CHECK(interim == "HTTP/1.1 100 Continue\r\n\r\n");
        co_await peer.send_all("hi");
        peer.shutdown_send();
        const std::string all = co_await rest_of(peer);
        CHECK(all.ends_with("\r\n\r\nPOST /\nhi"));
    });
}

LEAT_TEST("long bodies arrive whole, and a slow reader stops the server from sending, not from serving") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        auto slow = co_await leat::tcp_stream::connect(where);
        for (int i = 0; i < 20; ++i) {
            co_await slow.send_all(get("/big"));
        }
        leat::http::client client({.environment_proxies = false});
        const auto page = co_await client.get("http://" + where.to_string() + "/big");
        CHECK(page.body == std::string(1'000'000, 'b'));
        slow.shutdown_send();
        const std::string all = co_await rest_of(slow);
        CHECK(all.size() > 20'000'000);
    });
}

LEAT_TEST("a thousand pipelined requests in one go are all answered, in order") {
    co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
        std::string sent;
        std::string expected;
        for (int i = 0; i < 1000; ++i) {
            const std::string target = "/" + std::to_string(i);
            sent += "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" +
                    std::string(1000, 'p');
            expected += ok("POST " + target + "\n" + std::string(1000, 'p'));
        }
        auto peer = co_await leat::tcp_stream::connect(where);
        auto sending = leat::spawn([&]() -> leat::task<> {
            co_await peer.send_all(sent);
            peer.shutdown_send();
        });
        std::string all = co_await rest_of(peer);
        co_await sending;
        const std::size_t date = std::string_view("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n").size();
        CHECK(all.size() == expected.size() + 1000 * date);
        std::size_t last = 0;
        for (int i = 0; i < 1000 && last != all.npos; ++i) {
            last = all.find("\r\n\r\nPOST /" + std::to_string(i) + "\n", last);
        }
        CHECK(last != all.npos);
    });
}

TEST_CASE("a handler that throws is answered with 500 and reported") {
    leat::testing::said.clear();
    leat::run(
        []() -> leat::task<> {
            co_await serving(echo_target, unattended, [](leat::endpoint where) -> leat::task<> {
                const std::string all = co_await answers_to(where, get("/fails"));
                CHECK(all.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
            });
        },
        {.report = leat::testing::remember_said});
    CHECK(leat::testing::said == std::vector<std::string>{"GET /fails: no luck"});
}

namespace {

std::vector<std::pair<std::string, std::optional<leat::endpoint>>> told;

void tell(std::exception_ptr error, std::optional<leat::endpoint> peer) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        told.emplace_back(known.what(), peer);
    }
}

// Fails as no stream of leat does.
class broken_stream : public leat::testing::memory_stream {
public:
    explicit broken_stream(memory_stream&& below) : memory_stream(std::move(below)) {}
    leat::task<leat::chunk> recv_chunk() {
        throw std::logic_error("broken");
        co_return leat::chunk();
    }
};

}  // namespace

TEST_CASE("on_error is told of what a handler throws and of its client, and then nothing is reported") {
    leat::testing::said.clear();
    told.clear();
    leat::http::serve_options options = unattended;
    options.on_error = tell;
    leat::run(
        [&]() -> leat::task<> {
            co_await serving(echo_target, options, [](leat::endpoint where) -> leat::task<> {
                auto peer = co_await leat::tcp_stream::connect(where);
                co_await peer.send_all(get("/fails"));
                const std::string all = co_await rest_of(peer);
                CHECK(all.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
                REQUIRE(told.size() == 1);
                CHECK(told[0].first == "no luck");
                CHECK(told[0].second == peer.local_endpoint());
            });
        },
        {.report = leat::testing::remember_said});
    CHECK(leat::testing::said.empty());
}

TEST_CASE("the report of what else went wrong names the place where the HTTP server was awaited") {
    leat::testing::said.clear();
    unsigned line = 0;
    leat::run(
        [&]() -> leat::task<> {
            auto [near, far] = leat::testing::memory_stream::pair();
            leat::testing::single_listener only(broken_stream(std::move(far)));
            auto serving = leat::spawn([&]() -> leat::task<> {
                line = std::source_location::current().line() + 1;
                co_await leat::http::serve(std::move(only), echo_target, unattended);
            });
            const std::string nothing = co_await rest_of(near);
            CHECK(nothing.empty());
            serving.cancel();
            co_await serving.join();
        },
        {.report = leat::testing::remember_said});
    REQUIRE(leat::testing::said.size() == 1);
    const std::string place = "server_test.cpp:" + std::to_string(line) + ", failed: broken";
    CHECK_MESSAGE(leat::testing::said[0].ends_with(place), leat::testing::said[0]);
}

LEAT_TEST("a handler may write its body in pieces, and answer late") {
    const auto writing = [](const request& asked, leat::http::response_writer& writer) -> leat::task<> {
        writer.head().headers.add("Content-Type", "text/plain");
        if (asked.target == "/counted") {
            writer.head().headers.add("Content-Length", "6");
        }
        if (asked.target != "/empty") {
            co_await leat::yield();
            co_await writer.write("one");
            co_await writer.write("");
            co_await writer.write("two");
        }
    };
    co_await serving(writing, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
        const std::string chunked = co_await answers_to(where, get("/"));
        CHECK(chunked == head + "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
        const std::string counted = co_await answers_to(where, get("/counted"));
        CHECK(counted == head + "Content-Length: 6\r\n\r\nonetwo");
        const std::string empty = co_await answers_to(where, get("/empty"));
        CHECK(empty == head + "Content-Length: 0\r\n\r\n");
        const std::string old = co_await answers_to(where, "GET / HTTP/1.0\r\n\r\n");
        CHECK(old == head + "Connection: close\r\n\r\nonetwo");
        const std::string asked = co_await answers_to(where, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(asked == head + "\r\n");
        leat::http::client client({.environment_proxies = false});
        for (int i = 0; i < 3; ++i) {
            const auto page = co_await client.get("http://" + where.to_string() + "/");
            CHECK(page.body == "onetwo");
        }
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("a stop ends idle connections at once and lets a request be answered", on(kernel)) {
    bool asked_for = false;
    bool go = false;
    const auto slow = [&](const request&) -> leat::task<response> {
        asked_for = true;
        while (!go) {
            co_await leat::yield();
        }
        response made;
        made.body = "late";
        co_return made;
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    const leat::http::serve_options stoppable{.grace = 1h};
    auto serving = leat::spawn(leat::http::serve(std::move(listener), slow, stoppable));
    auto idle = co_await leat::tcp_stream::connect(where);
    auto busy = co_await leat::tcp_stream::connect(where);
    co_await busy.send_all(get("/"));
    while (!asked_for) {
        co_await leat::yield();
    }
    ::raise(SIGTERM);
    const std::string nothing = co_await rest_of(idle);
    CHECK(nothing.empty());
    CHECK_FALSE(serving.done());
    go = true;
    const std::string all = co_await rest_of(busy);
    CHECK(all.find("Connection: close\r\n") != all.npos);
    CHECK(all.ends_with("late"));
    busy.close();
    co_await serving;
}

LEAT_TEST("an HTTP server says where it listens once a signal stops it", on(kernel)) {
    static std::string said;
    const auto say_and_stop = [](std::string_view where) {
        said = where;
        ::raise(SIGTERM);
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    co_await leat::http::serve(std::move(listener), echo_target, {.on_listening = say_and_stop});
    CHECK(said == where.to_string());
}
