// SPDX-License-Identifier: MIT
// http::client and servers of HTTP/2 that refuse, reset, end, or do not keep to the rules.
#include "h2_origin.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::testing::h2_data;
using leat::testing::h2_frame;
using leat::testing::h2_goaway;
using leat::testing::h2_head;
using leat::testing::h2_number;
using leat::testing::h2_origin;
using leat::testing::h2_page;
using leat::testing::h2_reset;
using leat::testing::h2_setting;
using leat::testing::simulated;
using support::answer;
using support::error_of;
using support::then;

namespace {

constexpr leat::http::client_options over_http2{.environment_proxies = false,
                                                .versions = leat::http::http_versions::prior_knowledge};

// What a GET comes to, of a server that answers so.
leat::task<std::string> outcome_of(std::function<std::string(std::uint32_t)> said, then next = then::keep,
                                   leat::http::request_options how = {}) {
    h2_origin origin([&](std::uint32_t stream, int) { return answer{said(stream), next}; });
    std::string outcome;
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        try {
            const fetched page = co_await client.get(origin.url("/"), how);
            outcome = std::to_string(page.status) + " " + page.body;
        } catch (const leat::http::request_error& failure) {
            outcome = std::string(failure.what()).substr(origin.url("/").size() + 2);
        }
    });
    co_return outcome;
}

}  // namespace

LEAT_TEST("requests that a server has not looked at are sent again, whatever their method") {
    for (const bool refused : {true, false}) {
        h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
            if (refused && stream == 1) {
                return {h2_reset(1, NGHTTP2_REFUSED_STREAM)};
            }
            if (!refused && connection == 1) {
                return {h2_goaway(0), then::close};
            }
            return {h2_page(stream, "done")};
        });
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(over_http2);
            const fetched page = co_await client.post(origin.url("/"), "body");
            CHECK(page.body == "done");
            CHECK(page.attempts == 2);
            CHECK(origin.accepted == (refused ? 1 : 2));
        });
    }
}

LEAT_TEST("a server that refuses for ever is asked a few times") {
    int asked = 0;
    const std::string what = co_await outcome_of([&](std::uint32_t stream) {
        ++asked;
        return h2_reset(stream, NGHTTP2_REFUSED_STREAM);
    });
    CHECK(what == "the server has refused the request without looking at it");
    CHECK(asked == 5);
}

LEAT_TEST("a GOAWAY lets the requests before it end, and those after it go on a new connection") {
    h2_origin origin([&](std::uint32_t stream, int connection) -> answer {
        if (connection == 1 && stream == 1) {
            return {h2_head(1, 200) + h2_goaway(1), then::keep, h2_data(1, "first")};
        }
        return {h2_page(stream, "second")};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        leat::http::response_stream reply = co_await client.open(origin.url("/"));
        const fetched second = co_await client.get(origin.url("/"));
        CHECK(second.body == "second");
        CHECK(second.attempts == 1);
        CHECK(origin.accepted == 2);
        origin.go_on.set();
        const std::string first = co_await reply.read_all();
        CHECK(first == "first");
        CHECK(client.idle_connections() == 1);
        while (origin.ended == 0) {
            co_await origin.some_ended.wait();
        }
    });
}

LEAT_TEST("a request that its server resets is not sent again, unless that has not looked at it") {
    h2_origin origin([&](std::uint32_t stream, int) -> answer {
        return {stream == 3 ? h2_reset(3, NGHTTP2_INTERNAL_ERROR) : h2_page(stream, "page")};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        (void)co_await client.get(origin.url("/"));
        const std::string what = co_await error_of(client.get(origin.url("/")));
        CHECK(what == origin.url("/") + ": the server has reset the request: INTERNAL_ERROR");
        CHECK(origin.count(NGHTTP2_HEADERS) == 2);
        const fetched last = co_await client.get(origin.url("/"));
        CHECK(last.body == "page");
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("what ends a request of HTTP/2 is told in one line") {
    std::string what =
        co_await outcome_of([](std::uint32_t stream) { return h2_reset(stream, NGHTTP2_INTERNAL_ERROR); });
    CHECK(what == "the server has reset the request: INTERNAL_ERROR");
    what = co_await outcome_of([](std::uint32_t) { return std::string(); }, then::close);
    CHECK(what == "the server closed the connection without an answer");
    what = co_await outcome_of(
        [](std::uint32_t stream) {
            return h2_head(stream, 200, {{"content-length", "9"}}) + h2_data(stream, "four", false);
        },
        then::close);
    CHECK(what == "body ended after 4 of 9 bytes");
    what = co_await outcome_of([](std::uint32_t stream) {
        return h2_head(stream, 200, {{"content-length", "9"}}) + h2_data(stream, "four");
    });
    CHECK(what == "the body is not the 9 bytes that its Content-Length says");
    what = co_await outcome_of([](std::uint32_t stream) {
        return h2_head(stream, 200, {{"content-length", "3"}}) + h2_data(stream, "four");
    });
    CHECK(what == "the body is not the 3 bytes that its Content-Length says");
    what = co_await outcome_of(
        [](std::uint32_t stream) { return h2_goaway(stream, NGHTTP2_ENHANCE_YOUR_CALM); }, then::close);
    CHECK(what == "the server closed the connection without an answer (it said ENHANCE_YOUR_CALM)");
    what = co_await outcome_of(
        [](std::uint32_t stream) { return h2_head(stream, 200, {{"connection", "close"}}, true); });
    CHECK(what == "the answer breaks the rules of HTTP/2");
    what = co_await outcome_of(
        [](std::uint32_t stream) { return h2_frame(NGHTTP2_PUSH_PROMISE, 4, stream, h2_number(2)); });
    CHECK(what == "the server broke the rules of HTTP/2: it pushes");
}

LEAT_TEST("a server that answers in HTTP/1.1 does not speak HTTP/2") {
    leat::tcp_listener listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "http://" + listener.local_endpoint().to_string() + "/";
    auto serving = leat::spawn([&]() -> leat::task<> {
        auto peer = co_await listener.accept();
        co_await peer.send_all("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        for (;;) {
            const auto some = co_await leat::as_result(peer.recv_chunk());
            if (!some.ok() || some->empty()) {
                break;
            }
        }
    });
    leat::http::client client(over_http2);
    const std::string what = co_await error_of(client.get(url));
    CHECK(what == url + ": the server does not speak HTTP/2");
    co_await serving;
}

LEAT_TEST("heads of HTTP/2 keep to the limits, and 1xx are passed over") {
    std::string what = co_await outcome_of([](std::uint32_t stream) {
        return h2_head(stream, 103, {{"link", "x"}}) + h2_head(stream, 100) + h2_page(stream, "page");
    });
    CHECK(what == "200 page");
    what = co_await outcome_of([](std::uint32_t stream) {
        std::string all;
        for (int count = 0; count < 21; ++count) {
            all += h2_head(stream, 103);
        }
        return all + h2_page(stream, "page");
    });
    CHECK(what == "the server sent too many 1xx responses");
    what = co_await outcome_of(
        [](std::uint32_t stream) { return h2_head(stream, 200, {{"x-long", std::string(100, 'x')}}, true); },
        then::keep, {.header_bytes = 100});
    CHECK(what == "header larger than 100 bytes");
    what = co_await outcome_of([](std::uint32_t stream) {
        leat::http::headers many;
        for (int count = 0; count < 257; ++count) {
            many.add("x", "1");
        }
        return h2_head(stream, 200, many, true);
    });
    CHECK(what == "the message has more header lines than the limit");
    what = co_await outcome_of([](std::uint32_t stream) {
        return h2_head(stream, 200) + h2_data(stream, "body", false) +
               h2_frame(NGHTTP2_HEADERS, 5, stream, std::string("\0\1x\0011", 5));
    });
    CHECK(what == "200 body");  // and trailers
    what = co_await outcome_of([](std::uint32_t stream) {
        std::string many;
        for (int count = 0; count < 257; ++count) {
            many += std::string("\0\1x\0011", 5);
        }
        return h2_head(stream, 200) + h2_data(stream, "body", false) +
               h2_frame(NGHTTP2_HEADERS, 5, stream, many);
    });
    CHECK(what == "the message has more header lines than the limit");
    what = co_await outcome_of(
        [](std::uint32_t stream) {
            return h2_head(stream, 200) + h2_data(stream, "body", false) +
                   h2_frame(NGHTTP2_HEADERS, 5, stream, std::string("\0\1x\x64", 4) + std::string(100, 'y'));
        },
        then::keep, {.header_bytes = 100});
    CHECK(what == "header larger than 100 bytes");
}

LEAT_TEST("trailers of an answer over HTTP/2 are given, but for those that would deceive") {
    h2_origin origin([](std::uint32_t stream, int) -> answer {
        const std::string trailers("\0\1x\0011\0\3age\0012\0\1y\0013", 17);
        return {h2_head(stream, 200) + (stream == 1 ? h2_data(stream, "body", false) : "") +
                h2_frame(NGHTTP2_HEADERS, 5, stream, trailers)};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        for (const char* body : {"body", ""}) {
            const auto page = co_await client.get(origin.url("/"));
            CHECK(page.body == body);
            CHECK(page.trailers.wire() == "x: 1\r\ny: 3\r\n");
        }
    });
}

LEAT_TEST("a server that floods is left") {
    const std::string ping = h2_frame(NGHTTP2_PING, 0, 0, "12345678");
    const std::string settings = h2_frame(NGHTTP2_SETTINGS, 0, 0);
    for (const std::string& frame :
         {ping, settings, h2_frame(NGHTTP2_DATA, 0, 1), h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2_number(1)),
          h2_frame(0x77, 0, 0, "unknown")}) {
        const std::string what = co_await outcome_of([&](std::uint32_t stream) {
            std::string all = h2_head(stream, 200);
            for (int count = 0; count < 1200; ++count) {
                all += frame;
            }
            return all;
        });
        CHECK(what == "the server sends too much that asks for work and brings nothing");
    }
    const std::string endless = co_await outcome_of([](std::uint32_t stream) {
        std::string all = h2_frame(NGHTTP2_HEADERS, 0, stream, h2_head(stream, 200).substr(9));
        for (int count = 0; count < 30; ++count) {
            all += h2_frame(NGHTTP2_CONTINUATION, 0, stream, std::string("\0\1x\0011", 5));
        }
        return all;
    });
    CHECK(endless == "the server sends too much that asks for work and brings nothing");
}

LEAT_TEST("a client keeps to the number of requests that the server takes at once") {
    h2_origin origin([&](std::uint32_t stream, int) { return answer{h2_page(stream, "page")}; });
    origin.settings = h2_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        (void)co_await client.get(origin.url("/"));  // the settings are known
        leat::http::response_stream first = co_await client.open(origin.url("/"));
        auto second = leat::spawn(client.get(origin.url("/")));
        auto third = leat::spawn(client.get(origin.url("/")));
        for (int turns = 0; turns < 5; ++turns) {
            co_await leat::yield();
        }
        CHECK(origin.count(NGHTTP2_HEADERS) == 2);
        const std::string body = co_await first.read_all();
        CHECK(body == "page");
        second.cancel();
        co_await second.join();
        const fetched last = co_await third;
        CHECK(last.body == "page");
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a request that is given up is cancelled alone, also by a deadline", on(simulated)) {
    h2_origin origin([&](std::uint32_t stream, int) -> answer {
        return {stream == 3 ? "" : stream == 5 ? h2_head(stream, 200) : h2_page(stream, "page")};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        (void)co_await client.get(origin.url("/"));
        const std::string late = co_await error_of(client.get(origin.url("/"), {.first_byte = 500ms}));
        CHECK(late == origin.url("/") + ": no answer within 500 ms");
        const std::string slow = co_await error_of(client.get(origin.url("/"), {.idle = 500ms}));
        CHECK(slow == origin.url("/") + ": no more of the body for 500 ms");
        const fetched last = co_await client.get(origin.url("/"));
        CHECK(last.body == "page");
        CHECK(origin.accepted == 1);
        int cancelled = 0;
        for (const auto& frame : origin.seen) {
            cancelled += frame.type == NGHTTP2_RST_STREAM && frame.payload == h2_number(NGHTTP2_CANCEL);
        }
        CHECK(cancelled == 2);
    });
}

LEAT_TEST("a body waits for the windows of the server, but not for ever", on(simulated)) {
    h2_origin origin([&](std::uint32_t, int) { return answer{}; });
    origin.settings = h2_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 3);
    bool opens = true;
    std::string body;
    origin.to_frame = [&](const leat::testing::h2_seen& frame, int) -> answer {
        if (frame.type != NGHTTP2_DATA) {
            return {};
        }
        body += frame.payload;
        if ((frame.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            return {h2_page(frame.stream, "taken")};
        }
        return {opens ? h2_frame(NGHTTP2_WINDOW_UPDATE, 0, frame.stream, h2_number(3)) : ""};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        const fetched page = co_await client.post(origin.url("/"), "in small pieces");
        CHECK(page.body == "taken");
        CHECK(body == "in small pieces");
        opens = false;
        const std::string what = co_await error_of(client.post(origin.url("/"), "stuck", {.send = 3s}));
        CHECK(what == origin.url("/") + ": the server took no more of the request for 3 s");
    });
}

LEAT_TEST("the end of a body in memory goes with its last bytes, which may fill the window", on(simulated)) {
    constexpr std::size_t window = 65'535;
    h2_origin origin([&](std::uint32_t, int) { return answer{}; });
    origin.to_frame = [&](const leat::testing::h2_seen& frame, int) -> answer {
        const bool last = frame.type == NGHTTP2_DATA && (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        return {last ? h2_page(frame.stream, "taken") : ""};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        const fetched page = co_await client.post(origin.url("/"), std::string(window, 'b'));
        CHECK(page.body == "taken");
    });
}

LEAT_TEST("an answer that refuses ends the sending of the body, and a 100 begins it") {
    bool refuses = false;
    h2_origin origin([&](std::uint32_t stream, int) -> answer {
        return {refuses ? h2_head(stream, 413, {}, true) + h2_reset(stream, 0) : h2_head(stream, 100)};
    });
    origin.to_frame = [&](const leat::testing::h2_seen& frame, int) -> answer {
        const bool last = frame.type == NGHTTP2_DATA && (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        return {last ? h2_page(frame.stream, "taken") : ""};
    };
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(over_http2);
        const fetched page = co_await client.put(origin.url("/"), "body", {.await_continue = 100s});
        CHECK(page.body == "taken");
        refuses = true;
        const auto endless = [] { return leat::sleep_until(leat::never); };
        auto source = leat::http::request_body::from([&]() -> leat::task<std::string> {
            co_await endless();
            co_return "";
        });
        const fetched refused = co_await client.put(origin.url("/"), std::move(source));
        CHECK(refused.status == 413);
        const fetched asked = co_await client.put(origin.url("/"), "body", {.await_continue = 100s});
        CHECK(asked.status == 413);
        CHECK(origin.accepted == 1);
    });
}
