// SPDX-License-Identifier: MIT
// Connections of HTTP/2 that http::client keeps: those that have ended, that are silent or closed to
// requests, and those that are idle.
#include "h2_origin.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/simulation.hpp>

#include "../../support/http_origin.hpp"
#include "../../support/on_each_backend.hpp"

#include <future>
#include <thread>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::testing::h2_frame;
using leat::testing::h2_goaway;
using leat::testing::h2_origin;
using leat::testing::h2_page;
using leat::testing::h2_setting;
using leat::testing::simulated;
using support::answer;
using support::error_of;
using support::then;

namespace {

constexpr leat::http::client_options over_http2{.environment_proxies = false,
                                                .versions = leat::http::http_versions::prior_knowledge};

// Serves one connection: allows a second request a while after it has answered the first one.
leat::task<> allow_requests_late(std::promise<std::string>& where) {
    h2_origin origin([](std::uint32_t stream, int) -> answer {
        const auto at_once = [](std::uint32_t requests) {
            return h2_frame(NGHTTP2_SETTINGS, 0, 0,
                            h2_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, requests));
        };
        return stream == 1 ? answer{at_once(0) + h2_page(stream, "first"), then::keep, at_once(1)}
                           : answer{h2_page(stream, "second")};
    });
    co_await origin.during([&]() -> leat::task<> {
        where.set_value(origin.url("/"));
        while (origin.count(NGHTTP2_HEADERS) == 0) {
            co_await origin.saw.wait();
        }
        co_await leat::sleep(50ms);
        origin.go_on.set();
        while (origin.ended == 0) {
            co_await origin.some_ended.wait();
        }
    });
}

}  // namespace

LEAT_TEST("a kept connection that has ended is no error for what may be sent again") {
    for (const char* method : {"GET", "POST"}) {
        h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
            return stream == 3 && connection == 1 ? answer{"", then::close} : answer{h2_page(stream, "page")};
        });
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(over_http2);
            (void)co_await client.get(origin.url("/"));
            const std::string what = co_await error_of(client.send(method, origin.url("/")));
            const bool again = std::string_view(method) == "GET";
            CHECK(what == (again ? "no error"
                                 : origin.url("/") + ": the server closed the connection without an answer"));
            CHECK(origin.accepted == (again ? 2 : 1));
        });
    }
}

LEAT_TEST("a POST does not go on a shared connection whose end can be seen") {
    h2_origin origin([&](std::uint32_t stream, int) { return answer{h2_page(stream, "x"), then::close}; });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        for (int i = 1; i <= 4; ++i) {
            const fetched page = co_await client.post(origin.url("/"), "once");
            CHECK(page.body == "x");
            CHECK(origin.accepted == i);
            while (client.idle_connections() > 0) {
                co_await leat::yield();
            }
        }
    });
}

LEAT_TEST("a connection that has long been silent gets no further requests", on(simulated)) {
    h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
        return {connection == 1 && stream > 1 ? "" : h2_page(stream, "page")};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        (void)co_await client.get(origin.url("/"));
        const std::string late = co_await error_of(client.get(origin.url("/"), {.first_byte = 5s}));
        CHECK(late == origin.url("/") + ": no answer within 5 s");
        const fetched last = co_await client.get(origin.url("/"));
        CHECK(last.body == "page");
        CHECK(origin.accepted == 2);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("an idle connection answers pings, and its end is seen") {
    h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
        const std::string ping = h2_frame(NGHTTP2_PING, 0, 0, "12345678");
        return {h2_page(stream, "page"), then::keep, connection == 1 ? ping : ""};
    });
    origin.to_frame = [&](const leat::testing::h2_seen& frame, int) -> answer {
        return {frame.type == NGHTTP2_PING ? h2_goaway(1) : ""};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        (void)co_await client.get(origin.url("/"));
        CHECK(client.idle_connections() == 1);
        origin.go_on.set();
        while (origin.ended == 0) {
            co_await origin.some_ended.wait();
        }
        CHECK(origin.count(NGHTTP2_PING) == 1);
        CHECK(client.idle_connections() == 0);
        const fetched page = co_await client.post(origin.url("/"), "once");
        CHECK(page.attempts == 1);
        CHECK(origin.accepted == 2);
    });
}

// It comes in the turn in which the time is over.
TEST_CASE("an idle connection that a server opens to requests as its time is over is not used") {
    leat::simulation network({.latency = 100us});
    leat::testing::run_simulated(network, []() -> leat::task<> {
        h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
            const auto at_once = [](std::uint32_t requests) {
                return h2_frame(NGHTTP2_SETTINGS, 0, 0,
                                h2_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, requests));
            };
            return connection == 1 ? answer{at_once(0) + h2_page(stream, "page"), then::keep, at_once(1)}
                                   : answer{h2_page(stream, "page")};
        });
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client_options options = over_http2;
            options.idle_connection_time = 10s;
            leat::http::client client(options);
            (void)co_await client.get(origin.url("/"));
            auto waiting = leat::spawn(client.get(origin.url("/")));
            co_await leat::sleep(10s - 100us);
            CHECK(client.idle_connections() == 1);
            origin.go_on.set();
            while (client.idle_connections() > 0) {
                co_await leat::yield();
            }
            const fetched page = co_await waiting;
            CHECK(page.body == "page");
            CHECK(origin.accepted == 2);
        });
    });
}

TEST_CASE("a request that waits until the server allows one more is no deadlock") {
    support::on_each_backend([](std::string_view backend) {
        std::promise<std::string> where;
        std::thread server([&] { leat::run([&] { return allow_requests_late(where); }); });
        const std::string url = where.get_future().get();
        std::string bodies;
        const auto ask_twice = [&]() -> leat::task<> {
            leat::http::client client(over_http2);
            for (int count = 0; count < 2; ++count) {
                const fetched page = co_await client.get(url);
                bodies += page.body + ".";
            }
        };
        CHECK_NOTHROW(leat::run(ask_twice, {.backend = backend}));
        server.join();
        CHECK(bodies == "first.second.");
    });
}
