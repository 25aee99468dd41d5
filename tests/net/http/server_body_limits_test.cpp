// SPDX-License-Identifier: MIT
// How long clients may take with a body that a handler reads: their time runs while the handler waits for
// them, and not while it does something else. Time is virtual.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

namespace {

constexpr std::string_view too_slow = "HTTP/1.1 408 Request Timeout\r\n";

std::string post(std::size_t length) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

// Whether a handler was cancelled: its locals are destroyed before it has ended.
struct ends {
    explicit ends(bool& told) noexcept : cancelled(told) {}
    ends(const ends&) = delete;
    ends& operator=(const ends&) = delete;
    ~ends() { cancelled = !finished; }
    bool& cancelled;
    bool finished = false;
};

// Sends `piece` again and again, with a pause before each; gives what comes back until the end, and how long
// that took.
struct dripped {
    std::string answer;
    leat::duration length;
};
leat::task<dripped> drip(leat::endpoint where, std::string begin, std::string piece, leat::duration pause,
                         int times) {
    auto peer = co_await leat::tcp_stream::connect(where);
    const leat::time_point before = leat::now();
    co_await peer.send_all(begin);
    auto answer = leat::spawn([&]() -> leat::task<dripped> {
        std::string all = co_await rest_of(peer);
        co_return dripped{without_dates(std::move(all)), leat::now() - before};
    });
    for (int i = 0; i < times && !answer.done(); ++i) {
        (void)co_await leat::move_on_after(pause, answer.join());
        const auto sent = co_await leat::as_result(peer.send_all(piece));
        if (!sent.ok()) {
            break;
        }
    }
    if (!answer.done()) {
        peer.shutdown_send();
    }
    co_return co_await answer;
}

}  // namespace

LEAT_TEST(
    "a client that sends nothing while the handler waits for it is told so, and the handler is cancelled",
    on(simulated)) {
    bool cancelled = false;
    const auto reads = [&](const request&, request_body_reader& body) -> leat::task<response> {
        ends here(cancelled);
        (void)co_await body.read_all();
        here.finished = true;
        co_return response();
    };
    co_await serving(reads, unattended, [&](leat::endpoint where) -> leat::task<> {
        const dripped silent = co_await drip(where, post(9), "b", 1h, 1);
        CHECK(silent.answer.starts_with(too_slow));
        CHECK(silent.length >= 30s);
        CHECK(silent.length <= 32s);
        CHECK(cancelled);
        const dripped slow = co_await drip(where, get("/") + post(100), "b", 15s, 100);
        CHECK(slow.answer.starts_with(ok("") + std::string(too_slow)));
        CHECK(slow.length <= 32s);
    });
}

LEAT_TEST("while a handler does something else its client has time", on(simulated)) {
    const auto works = [](const request&, request_body_reader& body) -> leat::task<response> {
        response made;
        made.body = co_await body.read();
        co_await leat::sleep(1h);
        made.body += co_await body.read_all();
        co_await leat::sleep(1h);
        co_return made;
    };
    co_await serving(works, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post(6) + "one");
        co_await leat::sleep(1h + 20s);
        co_await peer.send_all("two");
        co_await leat::sleep(1h);
        peer.shutdown_send();
        const std::string all = co_await rest_of(peer);
        CHECK(without_dates(all) == ok("onetwo"));
    });
}

LEAT_TEST("the time that a handler waits for its client adds up, whatever it does between", on(simulated)) {
    const auto pauses = [](const request&, request_body_reader& body) -> leat::task<response> {
        for (;;) {
            const std::string_view piece = co_await body.read();
            if (piece.empty()) {
                break;
            }
            co_await leat::sleep(5s);
        }
        co_return response();
    };
    co_await serving(pauses, unattended, [](leat::endpoint where) -> leat::task<> {
        // 10 s of each 15 s are the client's.
        const dripped slow = co_await drip(where, post(100), "b", 15s, 100);
        CHECK(slow.answer.starts_with(too_slow));
        CHECK(slow.length >= 40s);
        CHECK(slow.length <= 50s);
        const dripped steady = co_await drip(where, post(200'000), std::string(4000, 'b'), 15s, 50);
        CHECK(steady.answer == ok(""));
    });
    leat::http::serve_options total = unattended;
    total.limits.body_total = 100s;
    co_await serving(pauses, total, [](leat::endpoint where) -> leat::task<> {
        const dripped slow = co_await drip(where, post(200'000), std::string(4000, 'b'), 15s, 50);
        CHECK(slow.answer.starts_with(too_slow));
        CHECK(slow.length >= 140s);
        CHECK(slow.length <= 160s);
    });
}

LEAT_TEST("an answer that has begun is cut when the body stops to come", on(simulated)) {
    bool cancelled = false;
    const auto early = [&](const request&, request_body_reader& body, response_writer& to) -> leat::task<> {
        ends here(cancelled);
        co_await to.write("early");
        (void)co_await body.read_all();
        here.finished = true;
    };
    co_await serving(early, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post(9));
        const std::string all = without_dates(co_await rest_of(peer));
        CHECK(all == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n");
        CHECK(cancelled);
        // Here the end of the connection would be taken for that of the answer.
        auto old = co_await leat::tcp_stream::connect(where);
        co_await old.send_all("POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\n");
        std::string got(200, ' ');
        std::error_code how;
        for (;;) {
            const auto count = co_await leat::as_result(old.recv(got));
            how = count.error();
            if (!count.ok() || *count == 0) {
                break;
            }
        }
        CHECK(how == std::errc::connection_reset);
    });
}

LEAT_TEST("a client that takes its answer slowly has no time to send meanwhile", on(simulated)) {
    constexpr std::size_t long_answer = 4'000'000;
    const auto both = [](const request&, request_body_reader& body, response_writer& to) -> leat::task<> {
        const auto writes = [&]() -> leat::task<> { co_await to.write(std::string(long_answer, 'l')); };
        std::string all;
        const auto reads = [&]() -> leat::task<> { all = co_await body.read_all(); };
        co_await leat::gather(writes, reads);
        co_await to.write(all);
    };
    co_await serving(both, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post(4));
        std::string piece(40'000, ' ');
        std::size_t size = 0;
        while (size < long_answer) {
            const std::size_t count = co_await peer.recv(piece);
            REQUIRE(count > 0);
            size += count;
            co_await leat::sleep(1s);
        }
        co_await peer.send_all("body");
        peer.shutdown_send();
        const std::string end = co_await rest_of(peer);
        CHECK(end.ends_with("4\r\nbody\r\n0\r\n\r\n"));
    });
}

LEAT_TEST("a rest that is dropped has the time of an idle connection, and a stop does not wait for it",
          on(simulated)) {
    const auto leaves = [](const request&, request_body_reader&) -> leat::task<response> {
        co_return response();
    };
    co_await serving(leaves, unattended, [](leat::endpoint where) -> leat::task<> {
        const dripped slow = co_await drip(where, post(1000), "b", 15s, 100);
        CHECK(slow.answer == ok(""));
        CHECK(slow.length >= 60s);
        CHECK(slow.length <= 62s);
    });
    leat::event stop;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto server = leat::spawn([&] {
        return leat::http::serve(std::move(listener), leaves, {.grace = 1h, .stop_on = {}, .stop = &stop});
    });
    auto peer = co_await leat::tcp_stream::connect(where);
    co_await peer.send_all(post(1000) + "b");
    co_await leat::sleep(1s);
    const leat::time_point before = leat::now();
    stop.set();
    const std::string all = without_dates(co_await rest_of(peer));
    CHECK(all == ok(""));
    peer.close();
    co_await server;
    CHECK(leat::now() - before < 10s);
}

LEAT_TEST("a stop lets a handler read on, and its answer closes", on(simulated)) {
    const auto reads = [](const request&, request_body_reader& body) -> leat::task<response> {
        response made;
        made.body = co_await body.read_all();
        co_return made;
    };
    leat::event stop;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto server = leat::spawn([&] {
        return leat::http::serve(std::move(listener), reads, {.grace = 1h, .stop_on = {}, .stop = &stop});
    });
    auto peer = co_await leat::tcp_stream::connect(where);
    co_await peer.send_all(post(6) + "one");
    co_await leat::sleep(1s);
    stop.set();
    co_await leat::sleep(1s);
    co_await peer.send_all("two");
    const std::string all = without_dates(co_await rest_of(peer));
    CHECK(all == "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nonetwo");
    peer.close();
    co_await server;
}

LEAT_TEST("a client that sends a long body before it reads gets the answer to it", on(simulated)) {
    const auto leaves = [](const request&, request_body_reader&) -> leat::task<response> {
        response made;
        made.status = 403;
        co_return made;
    };
    const auto whole = [](const request&) -> leat::task<response> { co_return response(); };
    const auto sends_slowly = [](leat::endpoint where) -> leat::task<std::string> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(post(5'000'000));
        for (int i = 0; i < 50; ++i) {
            co_await peer.send_all(std::string(100'000, 'b'));
            co_await leat::sleep(100ms);
        }
        const std::string all = co_await rest_of(peer);
        co_return all.substr(0, 12);
    };
    co_await serving(leaves, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string status = co_await sends_slowly(where);
        CHECK(status == "HTTP/1.1 403");
    });
    co_await serving(whole, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string status = co_await sends_slowly(where);
        CHECK(status == "HTTP/1.1 413");
    });
}
