// SPDX-License-Identifier: MIT
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::echo;
using leat::testing::expect_answer;
using leat::testing::remember;
using leat::testing::reported;

namespace {

leat::task<> expect_end(leat::tcp_stream& peer) {
    char byte = 0;
    const std::size_t rest = co_await peer.recv(std::span(&byte, 1));
    CHECK(rest == 0);
}

}  // namespace

LEAT_TEST("a signal stops accepting, lets connections end, and ends serve", on(kernel)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.grace = 1h}));
    auto client = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(client);
    ::raise(SIGTERM);
    while (!(co_await leat::as_result(leat::tcp_stream::connect(where))).error()) {
        co_await leat::yield();
    }
    co_await expect_answer(client);
    CHECK_FALSE(serving.done());
    client.shutdown_send();
    co_await serving;
}

LEAT_TEST("a server says where it listens once a signal stops it", on(kernel)) {
    static std::string said;
    const auto say_and_stop = [](std::string_view where) {
        said = where;
        ::raise(SIGTERM);
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    co_await leat::serve(std::move(listener), echo, {.on_listening = say_and_stop});
    CHECK(said == where.to_string());
}

LEAT_TEST("connections that outlast the grace are cancelled, and a second signal ends it", on(kernel)) {
    for (const leat::duration grace : {leat::duration(0ms), leat::duration(1h)}) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.grace = grace}));
        auto client = co_await leat::tcp_stream::connect(where);
        co_await expect_answer(client);
        ::raise(SIGINT);
        if (grace > 0ms) {
            while (!(co_await leat::as_result(leat::tcp_stream::connect(where))).error()) {
                co_await leat::yield();
            }
            ::raise(SIGINT);
        }
        co_await serving;
        co_await expect_end(client);
    }
}

LEAT_TEST("a full server leaves further clients in the queue until there is room") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.connections = 1, .grace = 0ms}));
    auto first = co_await leat::tcp_stream::connect(where);
    auto second = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(first);
    auto answered = leat::spawn([&]() { return expect_answer(second); });
    for (int i = 0; i < 100; ++i) {
        co_await leat::yield();
    }
    co_await expect_answer(first);
    CHECK_FALSE(answered.done());
    first.close();
    co_await answered;
    serving.cancel();
    co_await serving.join();
}

namespace {

leat::task<> failing(leat::tcp_stream peer) {
    char byte = 0;
    co_await peer.recv_exactly(std::span(&byte, 1));
    throw std::runtime_error("no");
}

}  // namespace

TEST_CASE("an error of one connection is reported and ends that connection alone") {
    reported.clear();
    leat::run(
        []() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            const leat::endpoint where = listener.local_endpoint();
            auto serving = leat::spawn(leat::serve(std::move(listener), failing));
            auto first = co_await leat::tcp_stream::connect(where);
            auto second = co_await leat::tcp_stream::connect(where);
            co_await first.send_all("x");
            co_await expect_end(first);
            co_await second.send_all("x");
            co_await expect_end(second);
        },
        {.report = remember});
    REQUIRE(reported.size() == 2);
    CHECK(reported[0].ends_with("failed: no"));
}
