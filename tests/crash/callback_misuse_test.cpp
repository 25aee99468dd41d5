// SPDX-License-Identifier: MIT
// Misuse of callbacks aborts and names the rule.
#include "aborts.hpp"

#include <leat/from_callback.hpp>
#include <leat/runtime.hpp>

#include <thread>
#include <utility>

#include <doctest/doctest.h>

using leat::testing::check_task_aborts;

TEST_CASE("a callback on the wrong thread aborts, and one that was moved from, and awaiting it twice") {
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::from_callback(
                [](leat::callback<> done) { std::thread([done] { done(); }).join(); });
        },
        "a callback comes on the thread of its task");
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::from_callback([](leat::callback<> done) {
                const auto moved = std::move(done);
                done();
            });
        },
        "the callback was moved from");
    check_task_aborts(
        []() -> leat::task<> {
            auto once = leat::from_callback([](const leat::callback<>& done) { done(); });
            co_await once;
            co_await once;
        },
        "the wait was awaited before");
}
