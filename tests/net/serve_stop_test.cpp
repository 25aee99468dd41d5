// SPDX-License-Identifier: MIT
// serve(): how it ends when nobody sends a signal, and that a client which says nothing is nobody's trouble.
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <system_error>
#include <vector>

using leat::testing::echo;
using leat::testing::expect_answer;
using leat::testing::lent_listener;

LEAT_TEST("serve may be stopped before it begins, and twice") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.stop_on = {}}));
    serving.cancel();
    serving.cancel();
    const auto ended = co_await serving.join();
    CHECK(ended.cancelled());
    serving.cancel();
    const auto late = co_await leat::as_result(leat::tcp_stream::connect(where));
    CHECK(late.error() == std::errc::connection_refused);
}

LEAT_TEST("serve ends when its listener is closed while it accepts") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto serving = leat::spawn(leat::serve(lent_listener(listener), echo, {.stop_on = {}}));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await expect_answer(client);
    listener.close();
    co_await expect_answer(client);  // who was accepted may go on
    CHECK_FALSE(serving.done());
    client.shutdown_send();
    co_await serving;
}

LEAT_TEST("clients that say nothing keep nobody from being served") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.stop_on = {}}));
    std::vector<leat::tcp_stream> silent;
    for (int i = 0; i < 50; ++i) {
        silent.push_back(co_await leat::tcp_stream::connect(where));
    }
    auto client = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(client);
    serving.cancel();
    co_await serving.join();
}
