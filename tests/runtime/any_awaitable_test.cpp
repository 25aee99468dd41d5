// SPDX-License-Identifier: MIT
// Whatever can be awaited can be given to whatever takes an awaitable.
#include <leat/core/deferred.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/stoppable.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::gather;
using leat::handle;
using leat::race;
using leat::spawn;
using leat::stuck;
using leat::task;

namespace {

task<int> number_after(leat::duration length, int number) {
    co_await leat::sleep(length);
    co_return number;
}

task<std::string> text(std::string what) {
    co_await leat::yield();
    co_return what;
}

// An awaitable of another library.
struct foreign_number {
    static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<> /*never*/) noexcept {}
    [[nodiscard]] int await_resume() const noexcept { return number; }
    int number;
};

}  // namespace

VIRTUAL_TEST("gather takes awaiters, composed ones, handles, callables, tasks and foreign awaitables") {
    leat::channel<int> numbers(1);
    CHECK(numbers.try_send(3));
    const handle<int> running = spawn(number_after(1s, 4));
    foreign_number foreign{8};
    auto [one, two, slept, three, four, five, six, seven, eight] = co_await gather(
        leat::timeout(1min, number_after(1s, 1)), number_after(2s, 2), leat::sleep(1s), numbers.receive(),
        running, [] { return number_after(1s, 5); },
        leat::move_on_after(1min, leat::shield(number_after(1s, 6))), foreign_number{7}, foreign);
    CHECK(one == 1);
    CHECK(two == 2);
    (void)slept;
    CHECK(three == 3);
    CHECK(four == 4);
    CHECK(five == 5);
    CHECK(six == 6);
    CHECK(seven == 7);
    CHECK(eight == 8);
}

VIRTUAL_TEST("a race takes awaiters, and ends those that lose") {
    leat::channel<int> numbers(1);
    leat::mutex lock;
    const leat::mutex_guard held = co_await lock.lock();
    const auto [late, received, locked, slept] =
        co_await race(leat::move_on_after(1s, stuck()), numbers.receive(), lock.lock(), leat::sleep(1h));
    CHECK(late == false);
    CHECK_FALSE(received.has_value());
    CHECK_FALSE(locked.has_value());
    CHECK_FALSE(slept.has_value());
}

VIRTUAL_TEST("a spawned timeout owns what it limits") {
    leat::channel<int> numbers;
    auto first = spawn(leat::timeout(1s, text("a text that is too long to be kept in place")));
    auto second = spawn(leat::timeout(1s, numbers.receive()));
    auto third = spawn(leat::as_outcome(leat::timeout(1s, leat::shield(leat::move_on_after(2s, stuck())))));
    auto fourth = spawn(leat::as_result(leat::timeout(1s, leat::sleep(1min))));
    const std::string given = co_await first;
    CHECK(given == "a text that is too long to be kept in place");
    CHECK((co_await second.join()).error() != nullptr);
    CHECK((co_await third).ok());
    const auto late = co_await fourth;
    CHECK(late.error() == std::errc::timed_out);
}

VIRTUAL_TEST("a deadline runs from where it was written, not from the first step") {
    const auto began = leat::now();
    auto late = spawn(leat::move_on_after(1s, stuck()));
    co_await leat::sleep(500ms);
    const bool finished = co_await late;
    CHECK_FALSE(finished);
    CHECK(leat::now() - began == 1s);
}

VIRTUAL_TEST("a callable may give an awaiter, with arguments too") {
    leat::event ready;
    auto waits = spawn([&] { return ready.wait(); });
    auto sleeps = spawn([](leat::duration length) { return leat::sleep(length); }, 1s);
    auto number = spawn([] { return leat::timeout(1s, number_after(1ms, 7)); });
    co_await leat::yield();
    CHECK_FALSE(waits.done());
    ready.set();
    co_await leat::join_all(waits, sleeps, number);
    CHECK(waits.ok());
    CHECK(sleeps.ok());
    CHECK(number.value() == 7);
    const auto nine = co_await [] { return leat::move_on_after(1ms, number_after(1us, 9)); };
    CHECK(nine == 9);
}

VIRTUAL_TEST("groups, spawn_when_free and finally take awaiters") {
    std::string log;
    co_await leat::with_task_group({.limit = 1}, [&](leat::task_group& group) -> task<> {
        auto slept = group.spawn(leat::sleep(1s));
        auto number = co_await group.spawn_when_free(leat::timeout(1min, number_after(1s, 3)));
        CHECK(slept.done());
        const int three = co_await number;
        CHECK(three == 3);
    });
    leat::channel<int> numbers(1);
    CHECK(numbers.try_send(5));
    const auto received = co_await leat::finally(numbers.receive(), [&] {
        log += "cleaned";
        return leat::sleep(1ms);
    });
    CHECK(received == 5);
    CHECK(log == "cleaned");
}

VIRTUAL_TEST("a range of whatever is awaited is gathered") {
    std::vector<handle<int>> running;
    running.push_back(spawn(number_after(2s, 1)));
    running.push_back(spawn(number_after(1s, 2)));
    const std::vector<int> numbers = co_await gather(std::move(running));
    CHECK(numbers == std::vector{1, 2});
}

VIRTUAL_TEST("an awaitable of another library may stand inside a spawned timeout") {
    auto limited = spawn(leat::timeout(1s, foreign_number{7}));
    const int seven = co_await limited;
    CHECK(seven == 7);
}

VIRTUAL_TEST("a part of a task that is bound, or stops with its server, can be spawned") {
    static constinit leat::task_local<int> local;
    const auto look = []() -> task<int> { co_return *local.get(); };
    auto bound = spawn(local.with(1, look));
    const auto [two, three] = co_await gather(local.with(2, look), leat::stoppable(local.with(3, look)));
    CHECK(two == 2);
    CHECK(three == 3);
    const int one = co_await bound;
    CHECK(one == 1);
}

VIRTUAL_TEST("a spawned switch_to switches") {
    std::string order;
    const auto note = [&](char who) -> task<> {
        for (int i = 0; i < 3; ++i) {
            order += who;
            co_await leat::yield();
        }
    };
    auto first = spawn(note, 'a');
    auto second = spawn(note, 'b');
    co_await leat::yield();
    auto switching = spawn(leat::switch_to(second));
    co_await leat::join_all(first, second, switching);
    CHECK(order == "ababba");
}

LEAT_TEST("every wait can be a task of its own") {
    leat::event flag;
    leat::latch gate(1);
    leat::barrier meeting(1);
    leat::semaphore permits(1);
    leat::queue<int> values(1);
    leat::one_shot<int> once;
    leat::latest<int> newest(4);
    auto observer = newest.observe();
    leat::broadcast<int> news(4);
    auto subscriber = news.subscribe([](std::size_t) {});
    leat::thread_channel<int> crossing(1);
    flag.set();
    gate.count_down();
    once.set(6);
    news.publish(7);
    auto [set, open, last, permit, put, got, outcome, taken, latest, heard, sent, crossed, joined, rest] =
        co_await gather(flag.wait(), gate.wait(), meeting.arrive_and_wait(), permits.acquire(), values.put(5),
                        values.get(), once.wait(), leat::timeout(1s, once), observer.next(),
                        subscriber.receive(), crossing.send(8), crossing.receive(),
                        spawn(number_after(1s, 9)).join(), leat::offload([] { return 10; }));
    CHECK(last);
    CHECK(permit.count() == 1);
    CHECK(got == 5);
    CHECK(taken == 6);
    CHECK(*latest == 4);
    CHECK(heard == 7);
    CHECK(crossed == 8);
    CHECK(rest == 10);
    (void)outcome, (void)set, (void)open, (void)put, (void)sent, (void)joined;
}
