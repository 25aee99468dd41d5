// SPDX-License-Identifier: MIT
// How the server leaves a connection on which it answers no more.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::simulated;
using leat::testing::unattended;

namespace {

leat::task<response> hello(const request&) {
    response made;
    made.body = "hello";
    co_return made;
}

}  // namespace

LEAT_TEST("a client that asks for the end of the connection is not waited for") {
    co_await serving(hello, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        const std::string answer = co_await rest_of(peer);
        CHECK(answer.ends_with("hello"));
        while ((co_await leat::as_result(peer.send_all("x"))).ok()) {  // the first resets what is closed
            co_await leat::sleep(1ms);
        }
    });
}

LEAT_TEST("a client that does not know of the end may go on sending for a second", on(simulated)) {
    leat::http::serve_options options = unattended;
    options.limits.requests = 1;
    co_await serving(hello, options, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = co_await rest_of(peer);
        CHECK(answer.ends_with("hello"));
        const auto ended = leat::now();
        while ((co_await leat::as_result(peer.send_all("x"))).ok()) {
            co_await leat::sleep(1ms);
        }
        CHECK(leat::now() - ended >= 1s);
    });
}
