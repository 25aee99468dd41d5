// SPDX-License-Identifier: MIT
// Bodies of HTTP/2 requests that are too long, too slow, or end early, as their handlers and clients see it.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/http/error.hpp>
#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::h2_peer;
using leat::testing::said;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<leat::any_stream> dial_limited(leat::endpoint where) {
    leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
    co_return leat::any_stream(std::move(made));
}

leat::http::serve_options telling_errors() {
    said.clear();
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) { said.emplace_back("error"); };
    return options;
}

leat::task<response> count_all(const request& asked, request_body_reader& body) {
    if (asked.target == "/more") {
        body.set_limit(3'000'000);
    }
    response made;
    made.body = std::to_string((co_await body.read_all()).size());
    co_return made;
}

struct marks_end {
    explicit marks_end(bool& told) noexcept : ended(told) {}
    marks_end(const marks_end&) = delete;
    marks_end& operator=(const marks_end&) = delete;
    ~marks_end() { ended = true; }
    bool& ended;
};

}  // namespace

LEAT_TEST("the limit of a body of HTTP/2 is the server's, or the handler's own") {
    co_await serving(count_all, telling_errors(), [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_limited(where));
        const std::string much(2'000'000, 'b');
        const auto more = peer.ask("/more", "POST", much);
        const auto less = peer.ask("/", "POST", much);
        const auto told = peer.ask("/", "POST", much, {{"content-length", "2000000"}});
        const auto waits = peer.begin("/", "", {{"content-length", "2000000"}, {"expect", "100-continue"}});
        const bool all = co_await peer.finish({more, less, told, waits});
        CHECK(all);
        CHECK(peer.of(more).body == "2000000");
        for (const auto id : {less, told, waits}) {
            CHECK(peer.of(id).status == 413);
            CHECK(peer.of(id).interim.empty());
        }
        CHECK(peer.unsent(told) > 1'900'000);
        CHECK(said.empty());
    });
}

LEAT_TEST("a client of HTTP/2 that resets a stream, or ends, is an error of the read that waits") {
    std::string ended;
    leat::event has_begun;
    leat::event has_ended;
    const auto reads = [&](const request&, request_body_reader& body) -> leat::task<response> {
        response made;
        has_begun.set();
        for (int count = 0; count < 2; ++count) {
            const auto all = co_await leat::as_result(body.read_all());
            ended += all.error().message() + "\n";
        }
        has_ended.set();
        (void)co_await body.read();
        co_return made;
    };
    co_await serving(reads, telling_errors(), [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_limited(where));
        const bool spoken = co_await peer.talk_until([&] { return peer.knows_settings(); });
        CHECK(spoken);
        const auto reset = peer.begin("/", "some");
        co_await peer.flush();
        co_await has_begun.wait();
        peer.reset(reset);
        co_await peer.flush();
        co_await has_ended.wait();
        const std::string was_reset = std::make_error_code(std::errc::connection_reset).message() + "\n";
        CHECK(ended == was_reset + was_reset);
        ended.clear();
        has_ended.reset();
        const auto half = peer.begin("/", "some");
        co_await peer.flush();
        co_await peer.stream().shutdown_send();
        const bool answered = co_await peer.talk_until([&] { return peer.of(half).whole; });
        CHECK(answered);
        const std::string was_cut = make_error_code(leat::http::error::truncated_body).message() + "\n";
        CHECK(ended == was_cut + was_cut);
        CHECK(peer.of(half).status == 400);
        CHECK(said.empty());
    });
}

LEAT_TEST("a body of HTTP/2 that is late is answered with 408, its handler cancelled, and no other",
          on(leat::testing::simulated)) {
    bool ended = false;
    leat::event go_on;
    const auto reads = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        response made;
        if (asked.target == "/other") {
            co_await go_on.wait();
            made.body = "other";
            co_return made;
        }
        const marks_end told(ended);
        (void)co_await body.read_all();
        co_return made;
    };
    co_await serving(reads, telling_errors(), [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_limited(where));
        const leat::time_point begin = leat::now();
        const auto other = peer.ask("/other", "POST", "unread");
        const auto late = peer.begin("/", "some");
        const bool told = co_await peer.finish(late);
        CHECK(told);
        CHECK(peer.of(late).status == 408);
        CHECK(ended);
        CHECK(leat::now() - begin >= 30s);
        CHECK(leat::now() - begin < 32s);
        co_await leat::sleep(1h);
        go_on.set();
        const bool answered = co_await peer.finish(other);
        CHECK(answered);
        CHECK(peer.of(other).body == "other");
        CHECK(said.empty());
    });
}

LEAT_TEST("the time of a body of HTTP/2 runs while its handler waits, and one that gets on is not late",
          on(leat::testing::simulated)) {
    const auto reads = [](const request&, request_body_reader& body) -> leat::task<response> {
        (void)co_await body.read();
        co_await leat::sleep(25s);
        response made;
        made.body = std::to_string((co_await body.read_all()).size());
        co_return made;
    };
    leat::http::serve_options options = telling_errors();
    options.limits.body_total = 100s;
    co_await serving(reads, options, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_limited(where));
        const auto slow = peer.begin("/", "some");
        co_await peer.flush();
        for (const auto pause : {40s, 20s, 20s}) {  // 15 s of the first in the second read
            co_await leat::sleep(pause);
            peer.add_body(slow, std::string(10'000, 'b'));
            co_await peer.flush();
        }
        peer.end_body(slow);
        const bool all = co_await peer.finish(slow);
        CHECK(all);
        CHECK(peer.of(slow).body == "30000");
        const leat::time_point begin = leat::now();
        const auto endless = peer.begin("/", "x");
        for (int i = 0; i < 30 && peer.of(endless).status == 0; ++i) {
            peer.add_body(endless, std::string(10'000, 'b'));
            const auto over = co_await leat::move_on_after(10s, peer.finish(endless));
            (void)over;
        }
        CHECK(peer.of(endless).status == 408);
        CHECK(leat::now() - begin >= 125s);
        CHECK(leat::now() - begin < 130s);
        CHECK(said.empty());
    });
}

LEAT_TEST("a late body of HTTP/2 whose answer has begun ends the stream", on(leat::testing::simulated)) {
    const auto reads = [](const request&, request_body_reader& body,
                          response_writer& writer) -> leat::task<> {
        co_await writer.write("begun");
        (void)co_await body.read_all();
    };
    co_await serving(reads, telling_errors(), [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_limited(where));
        const auto late = peer.begin("/", "some");
        const bool cut = co_await peer.finish(late);
        CHECK(cut);
        CHECK(peer.of(late).body == "begun");
        CHECK(!peer.of(late).whole);
        CHECK(peer.of(late).reset == NGHTTP2_CANCEL);
        CHECK(said.empty());
    });
}
