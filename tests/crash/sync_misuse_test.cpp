// SPDX-License-Identifier: MIT
// Misuse of what tasks share aborts and names the rule, also from another thread.
#include "aborts.hpp"

#include <leat/runtime.hpp>

#include <optional>
#include <thread>

#include <doctest/doctest.h>

using leat::testing::check_aborts;
using leat::testing::check_task_aborts;

TEST_CASE("waiting beside a task of another thread aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::event event;
            auto waiter = leat::spawn([&]() -> leat::task<> { co_await event.wait(); });
            co_await leat::yield();
            std::thread([&] { leat::run([&]() -> leat::task<> { co_await event.wait(); }); }).join();
        },
        "tasks that wait together are on one thread");
}

TEST_CASE("waking a task of another thread aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::event event;
            auto waiter = leat::spawn([&]() -> leat::task<> { co_await event.wait(); });
            co_await leat::yield();
            std::thread([&] { event.set(); }).join();
        },
        "waiting tasks are woken on their own thread");
}

TEST_CASE("destroying what somebody waits for aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            std::optional<leat::event> event(std::in_place);
            auto waiter = leat::spawn([&]() -> leat::task<> { co_await event->wait(); });
            co_await leat::yield();
            event.reset();
        },
        "nobody waits for what is destroyed");
}

TEST_CASE("destroying a locked mutex aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            std::optional<leat::mutex> mutex(std::in_place);
            const auto guard = co_await mutex->lock();
            mutex.reset();
        },
        "a mutex is unlocked when it dies");
}

TEST_CASE("waiting for a condition without its mutex aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::mutex mutex;
            leat::condition changed;
            auto guard = co_await mutex.lock();
            guard.unlock();
            co_await changed.wait(guard);
        },
        "who waits for a condition holds its mutex");
}

TEST_CASE("counting a latch below zero aborts") {
    check_aborts([] { leat::latch(1).count_down(2); }, "a latch is not counted below zero");
}

TEST_CASE("a barrier for nobody aborts") {
    check_aborts([] { const leat::barrier none(0); }, "a barrier is for one task or more");
}

TEST_CASE("reserving room in a rendezvous aborts, and so does using a reservation twice") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::channel<int> rendezvous(0);
            const auto never = co_await rendezvous.reserve();
        },
        "a rendezvous has no room to reserve");
    check_task_aborts(
        []() -> leat::task<> {
            leat::channel<int> channel;
            auto once = co_await channel.reserve();
            once.send(1);
            once.send(2);
        },
        "a reservation is used once");
}

TEST_CASE("setting a one_shot twice aborts, and so does moving its value out twice") {
    check_aborts(
        [] {
            leat::one_shot<int> one;
            one.set(1);
            one.set(2);
        },
        "a one_shot is set once");
    check_aborts([] { leat::one_shot<>().set_error(nullptr); }, "the error of a one_shot is an exception");
    check_task_aborts(
        []() -> leat::task<> {
            leat::one_shot<int> one;
            one.set(1);
            (void)co_await one;
            (void)co_await one;
        },
        "the value of the one_shot was moved out before");
    check_task_aborts(
        []() -> leat::task<> {
            leat::one_shot<int> one;
            one.set(1);
            (void)co_await one;
            (void)co_await one.wait();
        },
        "the value of the one_shot was moved out before");
}

TEST_CASE("a queue without room aborts, and so does being done with more than was put") {
    check_aborts([] { const leat::queue<int> none(0); }, "a queue has room for one value or more");
    check_aborts(
        [] {
            leat::priority_queue<int> jobs;
            (void)jobs.try_put(1);
            jobs.done();
            jobs.done();
        },
        "done() is called once for each value of a queue");
}

TEST_CASE("misusing a broadcast aborts") {
    check_aborts([] { leat::broadcast<int> none(0); }, "a broadcast has room for one value or more");
    check_aborts(
        [] {
            std::optional<leat::broadcast<int>> feed(std::in_place, 1);
            const auto from = feed->subscribe(leat::ignore_missed);
            feed.reset();
        },
        "a broadcast outlives its subscriptions");
    check_task_aborts(
        []() -> leat::task<> {
            leat::broadcast<int> feed(1);
            auto from = feed.subscribe(leat::ignore_missed);
            auto receiver = leat::spawn([&]() -> leat::task<> { (void)co_await from.receive(); });
            co_await leat::yield();
            (void)co_await from.receive();
        },
        "two tasks receive from one subscription at once");
    check_task_aborts(
        []() -> leat::task<> {
            leat::broadcast<int> feed(1);
            auto from = feed.subscribe(leat::ignore_missed);
            auto receiver = leat::spawn([&]() -> leat::task<> { (void)co_await from.receive(); });
            co_await leat::yield();
            const auto moved = std::move(from);
        },
        "a subscription stays where it is while a task receives from it");
}

TEST_CASE("changing a latest that is closed aborts") {
    check_aborts(
        [] {
            leat::latest<int> value(1);
            value.close();
            value.set(2);
        },
        "a latest that is closed does not change");
}

TEST_CASE("awaiting twice what waits in a queue aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::channel<int> channel;
            auto receiving = channel.receive();
            (void)co_await leat::move_on_after(std::chrono::milliseconds(1), receiving);
            (void)co_await receiving;
        },
        "the wait was awaited before");
}

TEST_CASE("awaiting one join twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto other = leat::spawn([]() -> leat::task<> { co_await leat::yield(); });
            auto joining = other.join();
            (void)co_await joining;
            (void)co_await joining;
        },
        "the wait was awaited before");
}

TEST_CASE("awaiting one wait for room in a group twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::with_task_group({.limit = 1}, [](leat::task_group& group) -> leat::task<> {
                group.spawn([]() -> leat::task<> { co_await leat::yield(); });
                auto room = group.below_limit();
                co_await room;
                co_await room;
            });
        },
        "the wait was awaited before");
}

TEST_CASE("awaiting what another task awaits already aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::event event;
            auto waiting = event.wait();
            auto first = leat::spawn([&]() -> leat::task<> { co_await waiting; });
            co_await leat::yield();
            co_await waiting;
        },
        "the wait was awaited before");
    check_task_aborts(
        []() -> leat::task<> {
            auto sleeping = leat::sleep(std::chrono::hours(1));
            auto first = leat::spawn([&]() -> leat::task<> { co_await sleeping; });
            co_await leat::yield();
            co_await sleeping;
        },
        "two tasks await one sleep at once");
}
