// SPDX-License-Identifier: MIT
// The stop of an HTTP server: whoever has no request ends at once, whatever else it does; who has one gets
// its answer. The graces are long, so that a test that waits for one does not end.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::get;
using leat::testing::lent_listener;
using leat::testing::rest_of;

namespace {

constexpr leat::http::serve_options patient{
    .grace = 1h, .stop_on = {}, .limits = {.idle = 1h, .head = 1h, .body = 1h, .send = 1h}};

leat::task<response> long_answer(const request& asked) {
    response made;
    made.body.assign(asked.target == "/long" ? 4'000'000 : 4, 'l');
    co_return made;
}

}  // namespace

LEAT_TEST("a connection whose answer is being sent at the stop ends behind it") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto serving = leat::spawn(leat::http::serve(lent_listener(listener), long_answer, patient));
    auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await peer.send_all(get("/long"));
    std::string begin(1000, ' ');
    co_await peer.recv_exactly(begin);
    listener.close();
    const std::string rest = co_await rest_of(peer);
    CHECK(begin.size() + rest.size() > 4'000'000);
    peer.close();
    co_await serving;
}

LEAT_TEST("connections that were accepted just before the stop end at once") {
    for (int turns = 0; turns < 8; ++turns) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto serving = leat::spawn(leat::http::serve(lent_listener(listener), long_answer, patient));
        auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
        for (int i = 0; i < turns; ++i) {
            co_await leat::yield();
        }
        listener.close();
        const std::string nothing = co_await rest_of(peer);
        CHECK(nothing.empty());
        peer.close();
        co_await serving;
    }
}

LEAT_TEST("a request that comes with the stop is answered, or its handler never begins") {
    for (int i = 0; i < 300; ++i) {
        leat::spawn([]() -> leat::task<> {  // so that what is ready waits for its turn
            for (;;) {
                co_await leat::yield();
            }
        });
    }
    for (int turns = 0; turns < 12; ++turns) {
        int begun = 0;
        int ended = 0;
        const auto handler = [&](const request&) -> leat::task<response> {
            ++begun;
            co_await leat::yield();
            ++ended;
            co_return response{};
        };
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto serving = leat::spawn(leat::http::serve(lent_listener(listener), handler, patient));
        auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
        co_await peer.send_all(get("/"));
        std::string answer(15, ' ');
        co_await peer.recv_exactly(answer);
        for (int turn = 0; turn < 12; ++turn) {
            if (turn == turns) {
                (void)co_await leat::as_result(peer.send_all(get("/")));
            }
            if (turn == 6) {
                listener.close();
            }
            co_await leat::yield();
        }
        const std::string rest = co_await rest_of(peer);
        CHECK(begun == ended);
        CHECK((rest.find("HTTP/1.1 200") != rest.npos) == (begun == 2));
        peer.close();
        co_await serving;
    }
}
