// SPDX-License-Identifier: MIT
// serve(): how it ends when nobody sends a signal, and that a client which says nothing is nobody's trouble.
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
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

LEAT_TEST("an event stops accepting, lets connections end, and ends serve") {
    leat::event stop;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::serve(std::move(listener), echo, {.grace = 1h, .stop_on = {}, .stop = &stop}));
    auto client = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(client);
    stop.set();
    while (!(co_await leat::as_result(leat::tcp_stream::connect(where))).error()) {
        co_await leat::yield();
    }
    co_await expect_answer(client);
    CHECK_FALSE(serving.done());
    client.shutdown_send();
    co_await serving;
}

LEAT_TEST("connections that outlast the grace after an event are cancelled", on(leat::testing::simulated)) {
    leat::event stop;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving =
        leat::spawn(leat::serve(std::move(listener), echo, {.grace = 1h, .stop_on = {}, .stop = &stop}));
    auto client = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(client);
    const auto stopped = leat::now();
    stop.set();
    co_await serving;
    CHECK(leat::now() - stopped == 1h);
}

LEAT_TEST("a server whose event was set before it began serves nobody, and says where it listens") {
    static int said;
    static int served;
    said = served = 0;
    leat::event stop;
    stop.set();
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = leat::spawn([where = listener.local_endpoint()]() -> leat::task<> {
        (void)co_await leat::as_result(leat::tcp_stream::connect(where));
    });
    for (int i = 0; i < 10; ++i) {
        co_await leat::yield();
    }
    const auto count = [](leat::tcp_stream) -> leat::task<> {
        ++served;
        co_return;
    };
    co_await leat::serve(std::move(listener), count,
                         {.stop_on = {}, .stop = &stop, .on_listening = [](std::string_view) { ++said; }});
    co_await client.join();
    CHECK(said == 1);
    CHECK(served == 0);
}

LEAT_TEST("after an event a signal ends the grace", on(kernel)) {
    leat::event stop;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.grace = 1h, .stop = &stop}));
    auto client = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(client);
    stop.set();
    while (!(co_await leat::as_result(leat::tcp_stream::connect(where))).error()) {
        co_await leat::yield();
    }
    CHECK_FALSE(serving.done());
    ::raise(SIGTERM);
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
