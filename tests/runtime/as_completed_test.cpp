// SPDX-License-Identifier: MIT
#include <leat/as_completed.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::as_completed;
using leat::stuck;

namespace {

leat::task<int> number_later(leat::duration length, int number) {
    co_await leat::sleep(length);
    co_return number;
}

// Tasks that give 0, 1, 2, ... and end in the reverse of that order, a second apart.
std::vector<leat::handle<int>> countdown(int size) {
    std::vector<leat::handle<int>> tasks;
    for (int i = 0; i < size; ++i) {
        tasks.push_back(leat::spawn(number_later, (size - i) * 1s, i));
    }
    return tasks;
}

leat::task<std::string> order_of(const std::vector<leat::handle<int>>& tasks) {
    std::string order;
    auto done = as_completed(tasks);
    while (const auto* each = co_await done.next()) {
        order += std::to_string(each->value());
    }
    co_return order;
}

}  // namespace

VIRTUAL_TEST("as_completed gives tasks in the order in which they end, as soon as they do") {
    const auto tasks = countdown(4);
    const auto began = leat::now();
    auto done = as_completed(tasks);
    for (int i = 3; i >= 0; --i) {
        const auto* next = co_await done.next();
        REQUIRE(next == &tasks[static_cast<std::size_t>(i)]);
        CHECK(leat::now() - began == (4 - i) * 1s);
        CHECK(done.left() == static_cast<std::size_t>(i));
    }
    const auto* end = co_await done.next();
    CHECK(end == nullptr);
    const auto* still = co_await done.next();
    CHECK(still == nullptr);
}

VIRTUAL_TEST(
    "tasks that have ended before are given first, in the order of the range; an empty range gives none") {
    const auto tasks = countdown(3);
    co_await leat::sleep(1h);
    const std::string order = co_await order_of(tasks);
    CHECK(order == "012");
    const std::string none = co_await order_of({});
    CHECK(none.empty());
}

VIRTUAL_TEST("a task that fails and one that is cancelled are given too, and keep their ends") {
    std::vector<leat::handle<>> tasks;
    tasks.push_back(leat::spawn(stuck));
    tasks.push_back(leat::spawn([]() -> leat::task<> {
        co_await leat::sleep(2s);
        throw std::runtime_error("broken");
    }));
    auto done = as_completed(tasks);
    auto later = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        tasks[0].cancel();
    });
    const auto* first = co_await done.next();
    CHECK(first->cancelled());
    const auto* second = co_await done.next();
    CHECK(second->error() != nullptr);
    CHECK(leat::reports.empty());
}

VIRTUAL_TEST("a wait for the next that is cancelled takes none") {
    const auto tasks = countdown(2);
    auto done = as_completed(tasks);
    const auto early = co_await leat::move_on_after(500ms, done.next());
    CHECK_FALSE(early.has_value());
    const auto* first = co_await done.next();
    CHECK(first == &tasks[1]);
}

VIRTUAL_TEST("a task given in the turn of a cancellation is delivered") {
    const auto tasks = countdown(1);
    auto done = as_completed(tasks);
    const leat::handle<int>* given = nullptr;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        given = co_await done.next();
        co_await leat::checkpoint();
    });
    tasks[0].on_done([&](const leat::outcome<int>&) { waiter.cancel(); });  // after it was given
    co_await leat::join_all(waiter);
    CHECK(given == &tasks[0]);
    CHECK(waiter.cancelled());
}

VIRTUAL_TEST("several tasks share what completes, each gets its own, and all learn of the end") {
    const auto tasks = countdown(3);
    auto done = as_completed(tasks);
    std::string log;
    auto worker = [&](char name) -> leat::task<> {
        while (const auto* each = co_await done.next()) {
            log += name + std::to_string(each->value()) + ' ';
        }
        log += name;
    };
    auto a = leat::spawn(worker, 'a');
    auto b = leat::spawn(worker, 'b');
    co_await leat::join_all(a, b);
    CHECK(log == "a2 b1 a0 ab");
}

VIRTUAL_TEST("as_completed can be left early") {
    const auto tasks = countdown(3);
    {
        auto done = as_completed(tasks);
        const auto* first = co_await done.next();
        CHECK(first == &tasks[2]);
    }
    co_await leat::join_all(tasks);
    CHECK(tasks[0].value() == 0);
}

VIRTUAL_TEST("join_all of a range ends when enough have ended, or at its deadline, and says how many have") {
    const auto tasks = countdown(5);
    const auto began = leat::now();
    const std::size_t enough = co_await leat::join_all(tasks, {.count = 2});
    CHECK(enough == 2);
    CHECK(leat::now() - began == 2s);
    const std::size_t late = co_await leat::join_all(tasks, {.deadline = began + 4s + 500ms});
    CHECK(late == 4);
    CHECK(leat::now() - began == 4s + 500ms);
    const std::size_t ready = co_await leat::join_all(tasks, {.deadline = leat::now()});
    CHECK(ready == 4);
    const std::size_t all = co_await leat::join_all(tasks, {});
    CHECK(all == 5);
    const std::size_t none = co_await leat::join_all(tasks, {.count = 0});
    CHECK(none == 0);
    CHECK(leat::now() - began == 5s);
}
