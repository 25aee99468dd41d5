// SPDX-License-Identifier: MIT
// When answers leave: together if their handlers do not wait, and not behind a handler that does. Whatever is
// sent directly comes behind what was held back.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::come_by_now;
using leat::testing::get;
using leat::testing::memory_stream;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::single_listener;
using leat::testing::unattended;

namespace {

leat::task<response> target_of(const request& asked) {
    response made;
    made.body = asked.target;
    if (asked.target.starts_with("/slow")) {
        co_await leat::sleep(3s);
    }
    if (asked.target == "/big") {
        made.body.assign(100'000, 'b');
    } else if (asked.target == "/kilobyte") {
        made.body.assign(1000, 'k');
    }
    co_return made;
}

leat::task<> write_target(const request& asked, response_writer& writer) {
    if (asked.target == "/pieces") {
        co_await writer.write("one");
        co_await leat::sleep(3s);
        co_await writer.write("two");
    } else {
        writer.head().body = asked.target;
    }
}

// Counts the sends of the stream below.
class counted_stream {
public:
    counted_stream(memory_stream below, int& sends) : below_(std::move(below)), sends_(&sends) {}
    auto recv(leat::byte_buffer into) { return below_.recv(into); }
    auto recv_exactly(leat::byte_buffer into) { return below_.recv_exactly(into); }
    auto recv_chunk() { return below_.recv_chunk(); }
    auto send(leat::byte_view from) { return below_.send(from); }
    template <typename... Pieces>
    auto send_all(const Pieces&... pieces) {
        ++*sends_;
        return below_.send_all(pieces...);
    }
    auto shutdown_send() { return below_.shutdown_send(); }
    void close() { below_.close(); }

private:
    memory_stream below_;
    int* sends_;
};

}  // namespace

LEAT_TEST("a handler that waits holds back no answer before its own", on(simulated)) {
    co_await serving(target_of, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/a") + get("/b") + get("/slow") + get("/c") + get("/slow2") + get("/d"));
        const std::string first = co_await come_by_now(peer);
        CHECK(first == ok("/a") + ok("/b"));
        co_await leat::sleep(3s);
        const std::string second = co_await come_by_now(peer);
        CHECK(second == ok("/slow") + ok("/c"));
        co_await leat::sleep(3s);
        const std::string third = co_await come_by_now(peer);
        CHECK(third == ok("/slow2") + ok("/d"));
    });
}

LEAT_TEST("the last answers leave when there is no more to answer, also behind a request's beginning",
          on(simulated)) {
    co_await serving(target_of, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/slow") + get("/a") + "GET /b HT");
        co_await leat::sleep(3s);
        const std::string first = co_await come_by_now(peer);
        CHECK(first == ok("/slow") + ok("/a"));
        co_await peer.send_all("TP/1.1\r\nHost: a\r\n\r\n");
        const std::string second = co_await come_by_now(peer);
        CHECK(second == ok("/b"));
    });
}

LEAT_TEST("100 Continue comes behind the answers to the requests before it", on(simulated)) {
    co_await serving(target_of, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/1") + get("/2") +
                               "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                               "Expect: 100-continue\r\n\r\n");
        const std::string first = co_await come_by_now(peer);
        CHECK(first == ok("/1") + ok("/2") + "HTTP/1.1 100 Continue\r\n\r\n");
        co_await peer.send_all("hi");
        const std::string second = co_await come_by_now(peer);
        CHECK(second == ok("/3"));
    });
}

LEAT_TEST("pieces, long bodies and refusals come behind the answers before them", on(simulated)) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    co_await serving(write_target, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/1") + get("/pieces") + get("/2") + get("/pieces") + "nonsense\r\n\r\n");
        const std::string first = co_await come_by_now(peer);
        CHECK(first == ok("/1") + chunked);
        co_await leat::sleep(3s);
        const std::string second = co_await come_by_now(peer);
        CHECK(second == "3\r\ntwo\r\n0\r\n\r\n" + ok("/2") + chunked);
        co_await leat::sleep(3s);
        const std::string third = co_await come_by_now(peer);
        CHECK(third.starts_with("3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 400 Bad Request\r\n"));
    });
    co_await serving(target_of, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/1") + get("/big") + get("/slow") + get("/big") + get("/2"));
        const std::string first = co_await come_by_now(peer);
        CHECK(first == ok("/1") + ok(std::string(100'000, 'b')));
        co_await leat::sleep(3s);
        const std::string second = co_await come_by_now(peer);
        CHECK(second == ok("/slow") + ok(std::string(100'000, 'b')) + ok("/2"));
    });
}

LEAT_TEST("answers whose handlers do not wait leave in one send", on(simulated)) {
    int sends = 0;
    auto [near, far] = memory_stream::pair();
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(
            leat::http::serve(single_listener(counted_stream(std::move(far), sends)), target_of, unattended));
        std::string asked;
        std::string expected;
        for (int i = 0; i < 16; ++i) {
            asked += get("/" + std::to_string(i));
            expected += ok("/" + std::to_string(i));
        }
        for (int round = 1; round <= 3; ++round) {
            co_await near.send_all(asked);
            const std::string all = co_await come_by_now(near);
            CHECK(all == expected);
            CHECK(sends == round);
        }
        group.cancel();
    });
}

LEAT_TEST("a client that does not take earlier answers stops no handler before its time is over",
          on(simulated)) {
    auto [near, far] = memory_stream::pair({.capacity = 200});
    int sends = 0;
    leat::http::serve_options options = unattended;
    options.limits.send = 10s;
    bool ended = false;
    const auto handler = [&](const request& asked) -> leat::task<response> {
        const response made = co_await target_of(asked);
        ended = ended || asked.target == "/slow";
        co_return made;
    };
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(
            leat::http::serve(single_listener(counted_stream(std::move(far), sends)), handler, options));
        auto sending =
            leat::spawn([&]() -> leat::task<> { co_await near.send_all(get("/kilobyte") + get("/slow")); });
        co_await leat::sleep(9s);
        CHECK(ended);
        const std::string all = co_await come_by_now(near);
        CHECK(all == ok(std::string(1000, 'k')) + ok("/slow"));
        co_await sending;
        group.cancel();
    });
}
