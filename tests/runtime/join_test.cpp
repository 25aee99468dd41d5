// SPDX-License-Identifier: MIT
#include <leat/join.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

leat::task<int> number_after(leat::duration length, int number) {
    co_await leat::sleep(length);
    co_return number;
}

leat::task<> nothing_after(leat::duration length) {
    co_await leat::sleep(length);
}

leat::task<int> fails_after(leat::duration length, const char* text) {
    co_await leat::sleep(length);
    throw std::runtime_error(text);
}

}  // namespace

VIRTUAL_TEST("join_all ends when the last of its tasks has ended, however each did") {
    auto a = leat::spawn(number_after, 3s, 1);
    auto b = leat::spawn(fails_after, 1s, "b");
    auto c = leat::spawn(nothing_after, 2s);
    const auto before = leat::now();
    co_await leat::join_all(a, b, c);
    CHECK(leat::now() - before == 3s);
    CHECK(a.value() == 1);
    CHECK(b.error() != nullptr);
    CHECK(c.ok());
}

VIRTUAL_TEST("join_all takes a range of handles, also an empty one") {
    std::vector<leat::handle<int>> all;
    co_await leat::join_all(all);
    for (int i = 0; i < 4; ++i) {
        all.push_back(leat::spawn(number_after, i * 1s, i));
    }
    const auto before = leat::now();
    co_await leat::join_all(all);
    CHECK(leat::now() - before == 3s);
    CHECK(all[3].value() == 3);
}

VIRTUAL_TEST("join_all with a deadline leaves the tasks alone") {
    auto slow = leat::spawn(number_after, 3s, 1);
    const bool early = co_await leat::move_on_after(1s, leat::join_all(slow));
    CHECK_FALSE(early);
    const int value = co_await slow;
    CHECK(value == 1);
}

VIRTUAL_TEST("gather runs its tasks at once and gives their results in order") {
    const auto before = leat::now();
    auto [a, b, c] = co_await leat::gather(
        number_after(3s, 1), [] { return number_after(1s, 2); }, leat::spawn(number_after, 2s, 3));
    CHECK(leat::now() - before == 3s);
    CHECK(a == 1);
    CHECK(b == 2);
    CHECK(c == 3);
}

LEAT_TEST("gather starts what it is given in the order given") {
    std::string log;
    auto note = [&](char name) -> leat::task<> {
        log += name;
        co_return;
    };
    co_await leat::gather(note('a'), note('b'), note('c'));
    CHECK(log == "abc");
}

VIRTUAL_TEST("gather gives what can only be moved, a single pair, references, and void as a unit") {
    auto own = []() -> leat::task<std::unique_ptr<int>> { co_return std::make_unique<int>(1); };
    auto pair = []() -> leat::task<std::pair<int, int>> { co_return std::pair(2, 3); };
    int value = 4;
    auto refer = [&]() -> leat::task<int&> { co_return value; };
    auto [owned] = co_await leat::gather(own());
    auto both = co_await leat::gather(pair());
    auto [same, unit] = co_await leat::gather(refer(), nothing_after(1s));
    CHECK(*owned == 1);
    CHECK(std::get<0>(both) == std::pair(2, 3));
    CHECK(&same == &value);
    static_assert(std::is_empty_v<decltype(unit)>);
}

VIRTUAL_TEST("gather of a range gives a vector in order, or nothing") {
    std::vector<leat::task<int>> tasks;
    std::vector<leat::task<>> empty_handed;
    for (int i = 0; i < 5; ++i) {
        tasks.push_back(number_after((5 - i) * 1s, i));
        empty_handed.push_back(nothing_after(1s));
    }
    const std::vector<int> results = co_await leat::gather(std::move(tasks));
    CHECK(results == std::vector{0, 1, 2, 3, 4});
    co_await leat::gather(std::move(empty_handed));
    const std::vector<int> none = co_await leat::gather(std::vector<leat::task<int>>());
    CHECK(none.empty());
}

VIRTUAL_TEST("the first error of a gather cancels the rest and is thrown when they have ended") {
    auto slow = leat::spawn(number_after, 9s, 1);
    const auto before = leat::now();
    std::string caught;
    try {
        co_await leat::gather(number_after(5s, 1), fails_after(1s, "first"), std::move(slow));
    } catch (const std::runtime_error& error) {
        caught = error.what();
    }
    CHECK(caught == "first");
    CHECK(leat::now() - before == 1s);
}

VIRTUAL_TEST("a gather that is cancelled ends all that it runs") {
    int ended = 0;
    auto count = [&]() -> leat::task<> {
        struct last {
            int& ended;
            ~last() { ++ended; }
        };
        const last local{ended};
        co_await leat::sleep_until(leat::never);
    };
    const bool finished =
        co_await leat::move_on_after(1s, [&]() -> leat::task<> { co_await leat::gather(count(), count()); });
    CHECK_FALSE(finished);
    CHECK(ended == 2);
}

VIRTUAL_TEST("map_concurrently runs so many at once and gives the results in order") {
    const std::vector<int> seconds{3, 1, 2, 1};
    int running = 0;
    int most = 0;
    const auto work = [&](int length) -> leat::task<int> {
        most = std::max(most, ++running);
        co_await leat::sleep(length * 1s);
        --running;
        co_return 10 * length;
    };
    const auto before = leat::now();
    const std::vector<int> results = co_await leat::map_concurrently(seconds, 2, work);
    CHECK(results == std::vector{30, 10, 20, 10});
    CHECK(most == 2);
    CHECK(leat::now() - before == 4s);
}

VIRTUAL_TEST("each item that iterating makes is its own task's") {
    const auto ten_times = [](int number) -> leat::task<int> {
        co_await leat::sleep(number * 1s);
        co_return 10 * number;
    };
    const auto numbers = std::views::iota(0, 4);
    const std::vector<int> results = co_await leat::map_concurrently(numbers, 4, ten_times);
    CHECK(results == std::vector{0, 10, 20, 30});
    const std::vector<bool> flags{true, false, true};
    std::string seen;
    co_await leat::for_each_concurrently(flags, 3, [&](bool flag) -> leat::task<> {
        seen += flag ? '1' : '0';
        co_return;
    });
    CHECK(seen == "101");
}

VIRTUAL_TEST("the function of map_concurrently may give an awaitable, and it may give nothing") {
    leat::channel<int> numbers(3);
    for (int i = 1; i <= 3; ++i) {
        CHECK(numbers.try_send(i));
    }
    const std::vector<int> items{0, 0, 0};
    const auto received =
        co_await leat::map_concurrently(items, 1, [&](int /*item*/) { return numbers.receive(); });
    CHECK(received == std::vector<std::optional<int>>{1, 2, 3});
    const auto before = leat::now();
    const auto slept = co_await leat::map_concurrently(items, 2, [](int) { return leat::sleep(1s); });
    CHECK(slept.size() == 3);
    CHECK(leat::now() - before == 2s);
}
