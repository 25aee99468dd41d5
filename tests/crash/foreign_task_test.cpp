// SPDX-License-Identifier: MIT
// Tasks, groups and scopes that are used from another thread than their own abort and name the rule, from a
// thread without a run and from one that is in another run.
#include "aborts.hpp"

#include <leat/runtime.hpp>

#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using leat::testing::check_task_aborts;

namespace {

leat::task<> stuck() {
    co_await leat::sleep_until(leat::never);
}

leat::task<> empty_task() {
    co_return;
}

void on_another_thread(const std::function<void()>& misuse) {
    std::thread(misuse).join();
}

void in_another_run(const std::function<void()>& misuse) {
    std::thread([&] {
        leat::run([&]() -> leat::task<> {
            misuse();
            co_return;
        });
    }).join();
}

constexpr auto task_rule = "a task that runs is asked, awaited and cancelled in its own run";
constexpr auto group_rule = "a task group is used in its own run";
constexpr auto scope_rule = "a cancel scope is used in its own run";

// `misuse(handle)` of a task that runs aborts.
template <typename Misuse>
void check_handle(Misuse misuse) {
    for (const auto elsewhere : {on_another_thread, in_another_run}) {
        check_task_aborts(
            [&]() -> leat::task<> {
                auto child = leat::spawn(stuck);
                co_await leat::yield();
                elsewhere([&] { misuse(child); });
            },
            task_rule);
    }
}

template <typename Misuse>
void check_group(Misuse misuse) {
    for (const auto elsewhere : {on_another_thread, in_another_run}) {
        check_task_aborts(
            [&]() -> leat::task<> {
                co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                    elsewhere([&] { misuse(group); });
                    co_return;
                });
            },
            group_rule);
    }
}

template <typename Misuse>
void check_scope(Misuse misuse) {
    for (const auto elsewhere : {on_another_thread, in_another_run}) {
        check_task_aborts(
            [&]() -> leat::task<> {
                co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
                    elsewhere([&] { misuse(scope); });
                    co_return;
                });
            },
            scope_rule);
    }
}

}  // namespace

TEST_CASE("a handle of a task that runs is not used on another thread") {
    SUBCASE("to cancel it") {
        check_handle([](leat::handle<>& child) { child.cancel(); });
    }
    SUBCASE("to ask it") {
        check_handle([](leat::handle<>& child) { (void)child.done(); });
    }
    SUBCASE("to name it") {
        check_handle([](leat::handle<>& child) { child.name("worker"); });
    }
    SUBCASE("to hear of its end") {
        check_handle([](leat::handle<>& child) { child.on_done([](const leat::outcome<void>&) {}); });
    }
    SUBCASE("nor dropped there") {
        check_handle([](leat::handle<>& child) { const auto dropped = std::move(child); });
    }
}

TEST_CASE("a task of another run is not awaited or joined") {
    const auto awaits = [](auto body) {
        check_task_aborts(
            [&]() -> leat::task<> {
                auto child = leat::spawn(stuck);
                co_await leat::yield();
                std::thread([&] { leat::run([&] { return body(child); }); }).join();
            },
            task_rule);
    };
    awaits([](leat::handle<>& child) -> leat::task<> { co_await child; });
    awaits([](leat::handle<>& child) -> leat::task<> { co_await child.join(); });
    awaits([](leat::handle<>& child) -> leat::task<> { co_await leat::join_all(child); });
    awaits([](leat::handle<>& child) -> leat::task<> { co_await leat::switch_to(child); });
}

TEST_CASE("a wait for a task that was made in its run and is awaited in another aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto child = leat::spawn(stuck);
            co_await leat::yield();
            auto join = child.join();
            std::thread([&] { leat::run([&]() -> leat::task<> { co_await join; }); }).join();
        },
        task_rule);
}

TEST_CASE("a task group is not used on another thread") {
    SUBCASE("to spawn a callable") {
        check_group([](leat::task_group& group) { group.spawn(empty_task); });
    }
    SUBCASE("to spawn a task") {
        check_group([](leat::task_group& group) { group.spawn(empty_task()); });
    }
    SUBCASE("to cancel it") {
        check_group([](leat::task_group& group) { group.cancel(); });
    }
    SUBCASE("to stop it") {
        check_group([](leat::task_group& group) { group.stop(1s); });
    }
}

TEST_CASE("a cancel scope is not used on another thread") {
    SUBCASE("to cancel it") {
        check_scope([](leat::cancel_scope& scope) { scope.cancel(); });
    }
    SUBCASE("to set its deadline") {
        check_scope([](leat::cancel_scope& scope) { scope.set_timeout(1h); });
    }
}

namespace {

// `misuse` on another thread, while a task of this one does `waits`.
void check_sync(const std::function<leat::task<>()>& waits, const std::function<void()>& misuse) {
    for (const auto elsewhere : {on_another_thread, in_another_run}) {
        check_task_aborts(
            [&]() -> leat::task<> {
                auto waiter = leat::spawn(waits);
                co_await leat::yield();
                elsewhere(misuse);
            },
            "waiting tasks are woken on their own thread");
    }
}

}  // namespace

TEST_CASE("a task that waits for what tasks share is not woken from another thread") {
    SUBCASE("by a channel that gets a value") {
        leat::channel<int> values(1);
        check_sync([&]() -> leat::task<> { (void)co_await values.receive(); },
                   [&] { (void)values.try_send(1); });
    }
    SUBCASE("by a channel that gives its value") {
        leat::channel<int> values(0);
        check_sync([&]() -> leat::task<> { co_await values.send(1); }, [&] { (void)values.try_receive(); });
    }
    SUBCASE("by a semaphore") {
        leat::semaphore permits(0);
        check_sync([&]() -> leat::task<> { (void)co_await permits.acquire(); }, [&] { permits.release(); });
    }
    SUBCASE("by a mutex") {
        leat::mutex mutex;
        auto held = mutex.try_lock();
        check_sync([&]() -> leat::task<> { (void)co_await mutex.lock(); }, [&] { held.reset(); });
    }
    SUBCASE("by a one_shot") {
        leat::one_shot<int> result;
        check_sync([&]() -> leat::task<> { (void)co_await result; }, [&] { result.set(1); });
    }
}
