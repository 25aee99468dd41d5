// SPDX-License-Identifier: MIT
// What a handler can ask of its request's connection.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

namespace {

// Waits for the client's end for a time, and says whether it came.
leat::task<response> watch_client(const request& asked) {
    response made;
    if (asked.target != "/watch") {
        made.body = asked.target;
        co_return made;
    }
    const bool gone = co_await leat::move_on_after(20ms, asked.connection->gone());
    made.body = gone ? "gone" : "there";
    co_return made;
}

}  // namespace

LEAT_TEST("a handler sees whose request it answers, and where it came in") {
    const auto handler = [](const request& asked) -> leat::task<response> {
        response made;
        made.body = asked.connection->remote_endpoint()->to_string() + " " +
                    asked.connection->local_endpoint()->to_string();
        co_return made;
    };
    co_await serving(handler, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/") + get("/"));
        peer.shutdown_send();
        const std::string all = without_dates(co_await rest_of(peer));
        const std::string places = ok(peer.local_endpoint().to_string() + " " + where.to_string());
        CHECK(all == places + places);
    });
}

LEAT_TEST("a handler hears that its client sends no more, and can answer all the same") {
    co_await serving(watch_client, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await answers_to(where, get("/1") + get("/watch") + get("/2"));
        CHECK(all == ok("/1") + ok("gone") + ok("/2"));
        const std::string twice = co_await answers_to(where, get("/watch") + get("/watch"));
        CHECK(twice == ok("gone") + ok("gone"));
    });
}

LEAT_TEST("a handler hears that its client is gone, and can stop") {
    leat::event begun;
    leat::event stopped;
    const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
        begun.set();
        const auto [worked, gone] = co_await leat::race(
            [&]() -> leat::task<bool> {
                co_await leat::sleep_until(leat::never);
                co_return true;
            },
            [&]() -> leat::task<bool> {
                co_await asked.connection->gone();
                co_return true;
            });
        CHECK(gone.has_value());
        stopped.set();
        const auto sent = co_await leat::as_result(writer.write("into the void"));
        (void)sent;
    };
    for (const bool reset : {false, true}) {
        begun.reset();
        stopped.reset();
        co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(get("/"));
            co_await begun.wait();
            if (reset) {
                peer.set_reset_on_close();
            }
            peer.close();
            co_await stopped.wait();
        });
    }
}

LEAT_TEST("what a client sends while a handler watches it is its next request") {
    leat::event watching;
    const auto handler = [&](const request& asked) -> leat::task<response> {
        watching.set();
        const response made = co_await watch_client(asked);
        co_return made;
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(get("/watch"));
        co_await watching.wait();
        co_await peer.send_all(get("/next"));
        const std::string expected = ok("there") + ok("/next");
        std::string all;
        while (without_dates(all).size() < expected.size()) {
            const leat::chunk more = co_await peer.recv_chunk();
            if (more.empty()) {
                break;
            }
            all += more.text();
        }
        CHECK(without_dates(all) == expected);
    });
}
