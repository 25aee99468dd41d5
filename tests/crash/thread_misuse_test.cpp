// SPDX-License-Identifier: MIT
// Misuse of what crosses threads aborts and names the rule.
#include "aborts.hpp"

#include <leat/runtime.hpp>
#include <leat/threads.hpp>

#include <optional>

#include <doctest/doctest.h>

using leat::testing::check_aborts;
using leat::testing::check_task_aborts;

TEST_CASE("offloading outside a task aborts") {
    check_aborts([] { leat::offload([] {}).await_ready(); }, "offload is awaited by a task");
    check_aborts([] { leat::offload_detached([] {}); }, "this is called inside run()");
}

TEST_CASE("awaiting offloaded work twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto work = leat::offload([] {});
            co_await work;
            co_await work;
        },
        "the offloaded work was awaited before");
}

TEST_CASE("a pool of no threads for offload aborts") {
    check_aborts([] { leat::set_offload_threads(0); }, "offloaded work has at least one thread");
}

TEST_CASE("blocking a thread that runs tasks aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::thread_channel<int> channel;
            (void)channel.receive_blocking();
            co_return;
        },
        "a thread that is in run() does not block for a channel");
    check_task_aborts(
        []() -> leat::task<> {
            leat::thread_channel<int> channel;
            channel.send_blocking(1);
            co_return;
        },
        "a thread that is in run() does not block for a channel");
}

TEST_CASE("destroying a thread_channel that somebody waits at aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            std::optional<leat::thread_channel<int>> channel(std::in_place);
            auto waiter = leat::spawn([&]() -> leat::task<> { (void)co_await channel->receive(); });
            co_await leat::yield();
            channel.reset();
        },
        "nobody waits for what is destroyed");
}

TEST_CASE("waiting at a thread_channel outside a task aborts") {
    check_aborts(
        [] {
            leat::thread_channel<int> channel;
            channel.receive().await_ready();
        },
        "this is awaited by a task");
}

TEST_CASE("awaiting a wait at a thread_channel twice aborts, and while it is awaited") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::thread_channel<int> channel;
            auto receive = channel.receive();
            (void)co_await leat::move_on_after(std::chrono::milliseconds(1), receive);
            co_await receive;
        },
        "the wait at a thread_channel was awaited before");
    check_task_aborts(
        []() -> leat::task<> {
            leat::thread_channel<int> channel;
            auto send = channel.send(1);
            co_await send;
            co_await send;
        },
        "the wait at a thread_channel was awaited before");
    check_task_aborts(
        []() -> leat::task<> {
            leat::thread_channel<int> channel;
            auto receive = channel.receive();
            auto waiter = leat::spawn([&]() -> leat::task<> { co_await receive; });
            co_await leat::yield();
            co_await receive;
        },
        "the wait at a thread_channel was awaited before");
}

TEST_CASE("calling another thread outside a task, or awaiting a call twice, aborts") {
    check_aborts(
        [] {
            std::optional<leat::remote> kept;
            leat::run([&]() -> leat::task<> {
                kept = leat::current_scheduler().remote();
                co_return;
            });
            kept->call([]() -> leat::task<> { co_return; }).await_ready();
        },
        "a call is awaited by a task");
    check_task_aborts(
        []() -> leat::task<> {
            auto call = leat::current_scheduler().remote().call([]() -> leat::task<> { co_return; });
            co_await call;
            co_await call;
        },
        "the call was awaited before");
}

TEST_CASE("workers started inside run() abort") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::run_workers(1, [](unsigned) -> leat::task<> { co_return; });
            co_return;
        },
        "run_workers is not called inside run()");
}
