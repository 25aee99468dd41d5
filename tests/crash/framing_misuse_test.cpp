// SPDX-License-Identifier: MIT
// Misuse of readers and formats of messages aborts and names the rule.
#include "aborts.hpp"

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>

#include <memory>
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
