// SPDX-License-Identifier: MIT
// serve(): how many connections one IP address may have.
#include "echo.hpp"

#include <leat/core/address_limit.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/unix.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

using leat::task;
using leat::tcp_listener;
using leat::tcp_stream;
using leat::testing::echo;
using leat::testing::expect_answer;
using leat::testing::remember;
using leat::testing::reported;

namespace {

task<> expect_reset(tcp_stream& refused) {
    const auto end = co_await leat::as_result(refused.recv_chunk());
    CHECK(end.error() == std::errc::connection_reset);
}

// Until an answer comes: a place becomes free a little after its connection has closed.
task<tcp_stream> connect_in_the_end(leat::endpoint where, leat::tcp_connect_options options = {}) {
    for (;;) {
        auto client = co_await tcp_stream::connect(where, options);
        char reply = 0;
        const auto sent = co_await leat::as_result(client.send_all("x"));
        const auto received = co_await leat::as_result(client.recv_exactly(std::span(&reply, 1)));
        if (sent.ok() && received.ok()) {
            co_return client;
        }
    }
}

std::vector<std::error_code> told_codes;

void tell_code(std::exception_ptr error, std::optional<leat::endpoint> peer) {
    CHECK(peer.has_value());
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& known) {
        told_codes.push_back(known.code());
    }
}

}  // namespace

LEAT_TEST("a further connection of one address is reset, until another one of it has closed") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    leat::serve_counters counters;
    auto serving = leat::spawn(
        leat::serve(std::move(listener), echo, {.per_address = 2, .counters = &counters, .stop_on = {}}));
    auto first = co_await tcp_stream::connect(where);
    auto second = co_await tcp_stream::connect(where);
    co_await expect_answer(first);
    co_await expect_answer(second);
    auto third = co_await tcp_stream::connect(where);
    co_await expect_reset(third);
    CHECK(counters.refused == 1);
    co_await expect_answer(first);
    first.close();
    auto fourth = co_await connect_in_the_end(where);
    co_await expect_answer(fourth);
    auto fifth = co_await tcp_stream::connect(where);
    co_await expect_reset(fifth);
    co_await expect_answer(second);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("each address has its own limit", on(leat::testing::kernel)) {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.per_address = 1, .stop_on = {}}));
    auto one = co_await tcp_stream::connect(where, {.local = leat::endpoint("127.0.0.1", 0)});
    auto other = co_await tcp_stream::connect(where, {.local = leat::endpoint("127.0.0.2", 0)});
    auto third = co_await tcp_stream::connect(where, {.local = leat::endpoint("127.0.0.2", 0)});
    co_await expect_answer(one);
    co_await expect_answer(other);
    co_await expect_reset(third);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("a handler that fails or is idle gives its place back") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    leat::event ended;
    const auto fail_or_wait = [&](tcp_stream peer) -> task<> {
        struct on_exit {
            leat::event& left;
            ~on_exit() { left.set(); }
        } const tells{ended};
        char asked = 0;
        co_await peer.recv_exactly(std::span(&asked, 1));
        if (asked == 'f') {
            throw std::runtime_error("no");
        }
        co_await peer.send_all("x");
        (void)co_await peer.recv_chunk();
    };
    const auto ignore = [](std::exception_ptr, std::optional<leat::endpoint>) {};
    leat::serve_counters counters;
    auto serving = leat::spawn(leat::serve(std::move(listener), fail_or_wait,
                                           {.per_address = 1,
                                            .idle = std::chrono::milliseconds(20),
                                            .counters = &counters,
                                            .stop_on = {},
                                            .on_error = ignore}));
    auto failing = co_await tcp_stream::connect(where);
    co_await failing.send_all("f");
    const leat::chunk end = co_await failing.recv_chunk();
    CHECK(end.empty());
    co_await ended.wait();
    auto silent = co_await connect_in_the_end(where);
    ended.reset();
    co_await ended.wait();
    auto next = co_await connect_in_the_end(where);
    CHECK(counters.idle >= 1);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("connections without an IP address have no such limit", on(leat::testing::kernel)) {
    auto listener = leat::unix_listener::bind({});
    const leat::unix_endpoint where = listener.local_endpoint();
    const auto answer = [](leat::unix_stream peer) -> task<> {
        co_await peer.send_all("x");
        (void)co_await peer.recv_chunk();
    };
    auto serving = leat::spawn(leat::serve(std::move(listener), answer, {.per_address = 1, .stop_on = {}}));
    auto first = co_await leat::unix_stream::connect(where);
    auto second = co_await leat::unix_stream::connect(where);
    for (leat::unix_stream* each : {&first, &second}) {
        char reply = 0;
        co_await each->recv_exactly(std::span(&reply, 1));
        CHECK(reply == 'x');
    }
    serving.cancel();
    co_await serving.join();
}

TEST_CASE("the report has the first of many refused in a row, and on_error all of them") {
    reported.clear();
    told_codes.clear();
    const auto refuse_three = [](leat::serve_options options) -> task<> {
        auto listener = tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        options.per_address = 1;
        options.stop_on = {};
        auto serving = leat::spawn(leat::serve(std::move(listener), echo, options));
        auto first = co_await tcp_stream::connect(where);
        co_await expect_answer(first);
        for (int count = 0; count < 3; ++count) {
            auto refused = co_await tcp_stream::connect(where);
            co_await expect_reset(refused);
        }
        serving.cancel();
        co_await serving.join();
    };
    leat::run(
        [&]() -> task<> {
            co_await refuse_three({});
            CHECK(reported.empty());
            co_await refuse_three({.tell_limits = true});
            REQUIRE(reported.size() == 1);
            CHECK(reported[0].starts_with("the connection of 127.0.0.1:"));
            CHECK(reported[0].ends_with(" was closed: 127.0.0.1 has 1 connections already"));
            co_await refuse_three({.tell_limits = true, .on_error = tell_code});
        },
        {.report = remember});
    CHECK(reported.size() == 1);
    REQUIRE(told_codes.size() == 3);
    CHECK(told_codes[0] == std::errc::connection_refused);
}

TEST_CASE("an IPv4 address that IPv6 maps counts as the same") {
    leat::detail::address_limit limit;
    const auto plain = limit.enter(leat::address::parse("192.0.2.1"), 2);
    const auto mapped = limit.enter(leat::address::parse("::ffff:192.0.2.1"), 2);
    CHECK(plain.has_value());
    CHECK(mapped.has_value());
    CHECK_FALSE(limit.enter(leat::address::parse("192.0.2.1"), 2).has_value());
    CHECK(limit.enter(leat::address::parse("192.0.2.2"), 2).has_value());
}

TEST_CASE("that an address is full is news once, until it has been below its limit") {
    leat::detail::address_limit limit;
    const leat::address here = leat::address::parse("192.0.2.1");
    CHECK_FALSE(limit.is_news(here));
    {
        const auto only = limit.enter(here, 1);
        CHECK(limit.is_news(here));
        CHECK_FALSE(limit.is_news(here));
    }
    const auto again = limit.enter(here, 1);
    CHECK(again.has_value());
    CHECK(limit.is_news(here));
}
