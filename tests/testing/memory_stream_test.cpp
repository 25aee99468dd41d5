// SPDX-License-Identifier: MIT
// memory_stream: what is its own; what it has in common with every stream is check_stream's to tell.
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <string>

#include "../crash/aborts.hpp"
#include "../support/mapped_memory.hpp"

using leat::testing::memory_stream;
using leat::testing::wait_until_idle;

static_assert(leat::stream<memory_stream>);

LEAT_TEST("a sender in memory waits when as much is under way as was allowed") {
    auto [near, far] = memory_stream::pair({.capacity = 10});
    auto writer = leat::spawn([&to = near]() -> leat::task<> { co_await to.send_all("0123456789abcde"); });
    co_await wait_until_idle();
    CHECK(!writer.done());
    CHECK(near.bytes_sent() == 10);
    char part[4];
    co_await far.recv_exactly(part);
    co_await wait_until_idle();
    CHECK(!writer.done());
    CHECK(near.bytes_sent() == 14);
    std::string rest(11, ' ');
    co_await far.recv_exactly(rest);
    CHECK(rest == "456789abcde");
    co_await writer;
}

LEAT_TEST("one operation moves no more than a piece") {
    auto [near, far] = memory_stream::pair({.piece = 3});
    const std::size_t sent = co_await near.send("abcdef");
    CHECK(sent == 3);
    co_await near.send_all("defg");
    char buffer[10];
    const std::size_t received = co_await far.recv(buffer);
    CHECK(received == 3);
    const leat::chunk part = co_await far.recv_chunk();
    CHECK(part.text() == "def");
}

LEAT_TEST("in lockstep each send waits for a receive, and says how much that took") {
    auto [near, far] = memory_stream::lockstep_pair();
    std::size_t sent = 0;
    auto writer = leat::spawn([&to = near, &sent]() -> leat::task<> { sent = co_await to.send("abcdef"); });
    co_await wait_until_idle();
    CHECK(!writer.done());
    CHECK(near.bytes_sent() == 0);
    char part[4];
    co_await far.recv_exactly(part);
    CHECK(std::string_view(part, 4) == "abcd");
    co_await writer;
    CHECK(sent == 4);
    CHECK(near.bytes_sent() == 4);
}

LEAT_TEST("a chunk of a length that 32 bits do not count is a part of it, not the end", on(simulated)) {
    const test_support::mapped_memory memory(test_support::four_gigabytes);
    auto [near, far] = memory_stream::pair({.capacity = 0, .piece = SIZE_MAX});
    auto writer = leat::spawn(near.send(memory.bytes()));
    const leat::chunk part = co_await far.recv_chunk();
    CHECK(part.size() > 0);
    const std::size_t sent = co_await writer;
    CHECK(sent == part.size());
}

LEAT_TEST("a send in lockstep that is cancelled before a receive has sent nothing") {
    auto [near, far] = memory_stream::lockstep_pair();
    auto writer = leat::spawn([&to = near]() -> leat::task<> { co_await to.send_all("never"); });
    co_await wait_until_idle();
    writer.cancel();
    co_await writer.join();
    auto next = leat::spawn([&to = near]() -> leat::task<> { co_await to.send_all("next"); });
    char text[4];
    co_await far.recv_exactly(text);
    CHECK(std::string_view(text, 4) == "next");
    co_await next;
}

LEAT_TEST("a receive in memory right after another task's cancelled one waits for its turn") {
    auto [near, far] = memory_stream::pair();
    char text[8] = {};
    auto first = leat::spawn(far.recv_exactly(text));
    co_await near.send_all("here");
    co_await leat::yield();
    first.cancel();
    const leat::chunk piece = co_await far.recv_chunk();
    CHECK(first.cancelled());
    CHECK(piece.size() == 4);
}

LEAT_TEST("the peer of a stream in memory that is reset receives and sends no more", on(simulated)) {
    for (const std::size_t capacity : {std::size_t{0}, SIZE_MAX}) {
        auto [near, far] = memory_stream::pair({.capacity = capacity});
        auto sender = leat::spawn(
            [&]() -> leat::task<> { (void)co_await leat::as_result(near.send_all("on its way")); });
        co_await leat::testing::wait_until_idle();
        near.reset();
        co_await sender;
        for (int again = 0; again < 2; ++again) {
            const auto received = co_await leat::as_result(far.recv_chunk());
            CHECK(received.error() == std::errc::connection_reset);
            const auto sent = co_await leat::as_result(far.send("x"));
            CHECK(sent.error() == std::errc::connection_reset);
        }
        const auto here = co_await leat::as_result(near.recv_chunk());
        CHECK(here.error() == leat::stream_errc::closed);
    }
}

LEAT_TEST("a reset that comes after the close is none", on(simulated)) {
    auto [near, far] = memory_stream::pair();
    co_await near.send_all("all");
    near.close();
    near.reset();
    const leat::chunk received = co_await far.recv_chunk();
    CHECK(received.text() == "all");
    const leat::chunk end = co_await far.recv_chunk();
    CHECK(end.empty());
}

TEST_CASE("two tasks that receive from one stream in memory are misuse") {
    leat::testing::check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            auto one = leat::spawn([&from = far]() -> leat::task<> { (void)co_await from.recv_chunk(); });
            co_await leat::yield();
            (void)co_await far.recv_chunk();
        },
        "two tasks receive from one stream at once");
}
