// SPDX-License-Identifier: MIT
// Misuse of readers and formats of messages aborts and names the rule.
#include "aborts.hpp"

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/idle.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/scripted_stream.hpp>

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

using leat::message_format;
using leat::testing::check_aborts;
using leat::testing::check_task_aborts;
using leat::testing::memory_stream;

TEST_CASE("two tasks that read from one buffered_reader at once are misuse, also of what has come already") {
    check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            leat::buffered_reader reader(near);
            co_await far.send_all("some");
            auto first = leat::spawn([&]() -> leat::task<> { co_await reader.line(); });
            co_await leat::yield();
            co_await leat::yield();
            co_await reader.exactly(1);
        },
        "two tasks read from one buffered_reader at once");
}

TEST_CASE("a task that reads while another, which has read a lot, lets others run is misuse") {
    check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            leat::buffered_reader reader(near);
            co_await far.send_all(std::string(1'000, '\n'));
            auto first = leat::spawn([&]() -> leat::task<> {
                for (;;) {
                    co_await reader.line();
                }
            });
            while (reader.held() == 0) {
                co_await leat::yield();
            }
            co_await reader.line();
        },
        "two tasks read from one buffered_reader at once");
}

TEST_CASE("bytes that are given back to a stream while a task receives from it are misuse") {
    const auto check_unread = [](auto make) {
        check_task_aborts(
            [make]() -> leat::task<> {
                auto [from, peer] = co_await make();
                auto reads = leat::spawn([&]() -> leat::task<> { (void)co_await from.recv_chunk(); });
                co_await leat::testing::wait_until_idle();
                from.unread(leat::copied_chunk(std::as_bytes(std::span("x", 1))));
            },
            "bytes are given back to a stream while no task receives from it");
    };
    check_unread(
        []() -> leat::task<std::pair<memory_stream, memory_stream>> { co_return memory_stream::pair(); });
    check_unread([]() -> leat::task<std::pair<leat::testing::scripted_stream, int>> {
        leat::testing::scripted_stream made;
        made.expect("never");
        co_return std::pair(std::move(made), 0);
    });
    check_unread(
        []() -> leat::task<std::pair<leat::pipe_reader, leat::pipe_writer>> { co_return leat::make_pipe(); });
    check_unread([]() -> leat::task<std::pair<leat::buffered_reader<memory_stream>, memory_stream>> {
        auto [near, far] = memory_stream::pair();
        co_return std::pair(leat::buffered_reader<memory_stream>(std::move(near)), std::move(far));
    });
}

TEST_CASE("a buffered_reader that goes while a task reads from it is misuse") {
    check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            auto reader = std::make_unique<leat::buffered_reader<memory_stream&>>(near);
            auto reads = leat::spawn([&]() -> leat::task<> { co_await reader->line(); });
            co_await leat::yield();
            reader.reset();
        },
        "a buffered_reader stays where it is while a task reads");
}

TEST_CASE("limits, delimiters and lengths that cannot be are misuse") {
    check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            leat::buffered_reader reader(near);
            co_await reader.line(0);
        },
        "a limit is at least one byte");
    check_task_aborts(
        []() -> leat::task<> {
            auto [near, far] = memory_stream::pair();
            co_await leat::recv_until(near, "");
        },
        "a delimiter has at least one byte");
    check_aborts([] { (void)message_format::with_terminator(""); }, "a terminator has at least one byte");
    check_aborts([] { (void)message_format::with_digits(20); }, "a length has 1 to 19 digits");
    check_aborts([] { (void)message_format::with_length(3); }, "a length has 1, 2, 4 or 8 bytes");
    check_aborts([] { (void)message_format::with_varint({.limit = 0}); },
                 "the limit of a message is at least one byte");
}
