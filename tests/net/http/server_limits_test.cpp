// SPDX-License-Identifier: MIT
// How long clients of the HTTP server may take: slow ones are served while they make progress, and those that
// do not are ended. Time is virtual.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::get;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<response> size_of_body(const request& asked) {
    response made;
    made.body = asked.target == "/long" ? std::string(4'000'000, 'l') : std::to_string(asked.body.size());
    co_return made;
}

// Sends `piece` again and again, with a pause after each; gives what comes back until the end, and how long
// it took.
struct dripped {
    std::string answer;
    leat::duration length;
};
leat::task<dripped> drip(leat::endpoint where, std::string begin, std::string piece, leat::duration pause,
                         int times) {
    auto peer = co_await leat::tcp_stream::connect(where);
    co_await peer.send_all(begin);
    const leat::time_point before = leat::now();
    auto answer = leat::spawn([&]() -> leat::task<dripped> {
        std::string all = co_await rest_of(peer);
        co_return dripped{std::move(all), leat::now() - before};
    });
    for (int i = 0; i < times && !answer.done(); ++i) {
        const auto sent = co_await leat::as_result(peer.send_all(piece));
        if (!sent.ok()) {
            break;
        }
        (void)co_await leat::move_on_after(pause, answer.join());
    }
    co_return co_await answer;
}

std::string post(std::string_view length) {
    return "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + std::string(length) + "\r\n\r\n";
}

constexpr std::string_view too_slow = "HTTP/1.1 408 Request Timeout\r\n";

}  // namespace

LEAT_TEST("a long answer that is read slowly and steadily arrives whole", on(simulated)) {
    co_await serving(size_of_body, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/long"));
        const leat::time_point before = leat::now();
        std::string all;
        std::string piece(40'000, ' ');
        std::size_t body_at = 0;
        while (all.size() < body_at + 4'000'000) {
            const std::size_t count = co_await peer.recv(piece);
            if (count == 0) {
                break;
            }
            all.append(piece, 0, count);
            body_at = all.find("\r\n\r\n") + 4;
            co_await leat::sleep(1s);
        }
        CHECK(leat::now() - before > 60s);
        const bool whole = all.substr(body_at) == std::string(4'000'000, 'l');
        CHECK(whole);
    });
}

LEAT_TEST("a client that takes nothing of its answer is ended when its time is over", on(simulated)) {
    co_await serving(size_of_body, unattended, [](leat::endpoint where) -> leat::task<> {
        for (const leat::duration pause : {59s, 61s}) {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(get("/long"));
            co_await leat::sleep(pause);
            peer.shutdown_send();
            const std::string all = co_await rest_of(peer);
            CHECK((all.size() > 4'000'000) == (pause < 60s));
        }
    });
}

LEAT_TEST("a client that takes less than the lowest rate is ended, and so is one past the total",
          on(simulated)) {
    for (const bool rate : {true, false}) {
        leat::http::serve_options options = unattended;
        if (rate) {
            options.limits.lowest_rate = 100'000;
        } else {
            options.limits.send_total = 50s;
        }
        co_await serving(size_of_body, options, [](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(get("/long"));
            std::size_t size = 0;
            std::string piece(40'000, ' ');
            const leat::time_point before = leat::now();
            for (;;) {
                const auto count = co_await leat::as_result(peer.recv(piece));
                if (!count.ok() || *count == 0) {
                    break;
                }
                size += *count;
                co_await leat::sleep(1s);
            }
            CHECK(size < 4'000'000);
            CHECK(leat::now() - before < 70s);
        });
    }
}

LEAT_TEST("a body that comes steadily is taken, however long it takes", on(simulated)) {
    co_await serving(size_of_body, unattended, [](leat::endpoint where) -> leat::task<> {
        const dripped counted =
            co_await drip(where, post("Content-Length: 200000"), std::string(1000, 'b'), 1s, 200);
        CHECK(counted.answer.ends_with("\r\n\r\n200000"));
        CHECK(counted.length >= 199s);
    });
}

LEAT_TEST("a body that only drips is refused, in whatever form", on(simulated)) {
    co_await serving(size_of_body, unattended, [](leat::endpoint where) -> leat::task<> {
        const dripped counted = co_await drip(where, post("Content-Length: 100"), "b", 15s, 100);
        CHECK(counted.answer.starts_with(too_slow));
        CHECK(counted.length <= 31s);
        const dripped chunked =
            co_await drip(where, post("Transfer-Encoding: chunked"), "1\r\nb\r\n", 15s, 100);
        CHECK(chunked.answer.starts_with(too_slow));
        CHECK(chunked.length <= 31s);
        const dripped trailers =
            co_await drip(where, post("Transfer-Encoding: chunked") + "0\r\n", "X: y\r\n", 15s, 100);
        CHECK(trailers.answer.starts_with(too_slow));
        CHECK(trailers.length <= 31s);
        const dripped silent = co_await drip(where, post("Content-Length: 100"), "b", 1h, 1);
        CHECK(silent.answer.starts_with(too_slow));
        CHECK(silent.length <= 31s);
    });
}

LEAT_TEST("the rate of a body, and its total, can be chosen", on(simulated)) {
    leat::http::serve_options patient = unattended;
    patient.limits.lowest_rate = 0;
    co_await serving(size_of_body, patient, [](leat::endpoint where) -> leat::task<> {
        const dripped slow = co_await drip(where, post("Content-Length: 20"), "b", 15s, 20);
        CHECK(slow.answer.ends_with("\r\n\r\n20"));
    });
    patient.limits.body_total = 100s;
    co_await serving(size_of_body, patient, [](leat::endpoint where) -> leat::task<> {
        const dripped slow = co_await drip(where, post("Content-Length: 20"), "b", 15s, 20);
        CHECK(slow.answer.starts_with(too_slow));
        CHECK(slow.length <= 101s);
    });
}

LEAT_TEST("a head has its time from its first byte, and empty lines do not renew the time without a request",
          on(simulated)) {
    co_await serving(size_of_body, unattended, [](leat::endpoint where) -> leat::task<> {
        const dripped head = co_await drip(where, "GET / HTTP/1.1\r\n", "X: y\r\n", 1s, 100);
        CHECK(head.answer.starts_with(too_slow));
        CHECK(head.length <= 11s);
        const dripped lines = co_await drip(where, "", "\r\n", 15s, 100);
        CHECK(lines.answer.empty());
        CHECK(lines.length <= 61s);
        const dripped behind = co_await drip(where, get("/"), "\r\n", 15s, 100);
        CHECK(behind.answer.ends_with("\r\n\r\n0"));
        CHECK(behind.length <= 61s);
    });
}

LEAT_TEST("what waits in the kernel of a slow client's machine counts as taken when it is acknowledged",
          on(kernel)) {
    auto [near, far] = co_await leat::testing::stream_pair();
    const auto before = leat::http::detail::acknowledged_bytes(near.native_handle());
    CHECK(before.has_value());
    co_await near.send_all(std::string(1000, 'x'));
    std::string taken(1000, ' ');
    co_await far.recv_exactly(taken);
    std::optional<std::uint64_t> now = before;
    while (*now - *before < 1000) {
        co_await leat::yield();
        now = leat::http::detail::acknowledged_bytes(near.native_handle());
    }
    CHECK(*now - *before == 1000);
}

LEAT_TEST("an address that has enough connections of an HTTP server is refused more") {
    leat::serve_counters counters;
    leat::http::serve_options options = unattended;
    options.per_address = 1;
    options.counters = &counters;
    co_await serving(size_of_body, options, [&](leat::endpoint where) -> leat::task<> {
        auto first = co_await leat::tcp_stream::connect(where);
        co_await first.send_all(get("/"));
        const leat::chunk answer = co_await first.recv_chunk();
        CHECK(answer.text().starts_with("HTTP/1.1 200 OK\r\n"));
        auto second = co_await leat::tcp_stream::connect(where);
        const auto refused = co_await leat::as_result(second.recv_chunk());
        CHECK(refused.error() == std::errc::connection_reset);
        CHECK(counters.refused == 1);
    });
}
