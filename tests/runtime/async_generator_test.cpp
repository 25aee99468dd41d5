// SPDX-License-Identifier: MIT
#include <leat/async_generator.hpp>

#include "ticks.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using leat::async_generator;
using leat::expect_next;
using leat::stuck;
using leat::ticks;
using leat::told;

static_assert(!std::is_copy_constructible_v<async_generator<int>>);

// What runs inside a scope or a group is a task, which has no co_yield.
template <typename Body>
concept runs_in_scope = leat::detail::any_awaitable<std::invoke_result_t<Body>>;
static_assert(runs_in_scope<leat::task<int> (*)()>);
static_assert(!runs_in_scope<async_generator<int> (*)()>);

VIRTUAL_TEST("an async generator waits between its items, and nothing runs before the first next()") {
    told.clear();
    const auto before = leat::now();
    std::vector<int> seen;
    auto numbers = ticks(3);
    CHECK(told.empty());
    while (auto number = co_await numbers.next()) {
        seen.push_back(*number);
        CHECK(leat::now() - before == std::chrono::seconds(seen.size()));
    }
    CHECK(seen == std::vector{0, 1, 2});
    CHECK(told == "+ticks-ticks");
    const auto after_the_end = co_await numbers.next();
    CHECK(!after_the_end.has_value());
}

LEAT_TEST("items may be move-only, copied from the body's own, or references") {
    auto moved = []() -> async_generator<std::unique_ptr<int>> {
        co_yield std::make_unique<int>(1);
        auto own = std::make_unique<int>(2);
        co_yield std::move(own);
        CHECK(own == nullptr);
    }();
    const auto one = co_await moved.next();
    const auto two = co_await moved.next();
    CHECK(**one + **two == 3);
    auto last = co_await moved.next();
    CHECK(!last.has_value());

    auto copied = []() -> async_generator<std::string> {
        std::string own = "a text that needs memory of its own";
        co_yield own;
        co_yield own + "!";
    }();
    const auto text = co_await copied.next();
    CHECK(text == "a text that needs memory of its own");
    const auto longer = co_await copied.next();
    CHECK(longer == "a text that needs memory of its own!");

    std::string lent = "lent";
    auto referred = [](std::string& to) -> async_generator<std::string&> {
        co_yield to;
        co_yield to;
    }(lent);
    std::string* first = co_await referred.next();
    CHECK(first == &lent);
    *first += "!";
    while (auto* each = co_await referred.next()) {
        CHECK(*each == "lent!");
    }

    auto constant = []() -> async_generator<const std::string&> { co_yield "temporary"; }();
    const std::string* item = co_await constant.next();
    CHECK(*item == "temporary");
}

LEAT_TEST("an exception of the body is thrown from next() once, and is the end") {
    for (const bool waits : {false, true}) {
        auto failing = [](bool first_waits) -> async_generator<int> {
            co_yield 1;
            if (first_waits) {
                co_await leat::yield();
            }
            throw std::runtime_error("no more");
        }(waits);
        std::string all;
        for (int i = 0; i < 4; ++i) {
            all += co_await next_of(failing) + ", ";
        }
        CHECK(all == "1, no more, end, end, ");
    }
}

VIRTUAL_TEST("a generator that is left early is destroyed at its co_yield, at once") {
    told.clear();
    {
        auto numbers = ticks(100);
        while (auto number = co_await numbers.next()) {
            if (*number == 1) {
                break;
            }
        }
        CHECK(told == "+ticks");
    }
    CHECK(told == "+ticks-ticks");
    told.clear();
    auto replaced = ticks(1);
    (void)co_await replaced.next();
    replaced = ticks(1);
    CHECK(told == "+ticks-ticks");
    {
        const auto never_begun = ticks(1);
    }
    CHECK(told == "+ticks-ticks");
}

VIRTUAL_TEST("a generator moves from task to task between its items") {
    told.clear();
    std::vector<int> seen;
    auto relay = [&](async_generator<int> numbers) -> leat::task<async_generator<int>> {
        auto number = co_await numbers.next();
        seen.push_back(*number);
        co_return numbers;
    };
    auto first = leat::spawn(relay, ticks(100));
    auto second = leat::spawn(relay, co_await first);
    auto numbers = co_await second;
    auto cancelled = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(100ms);
        (void)co_await leat::move_on_after(10ms, stuck());
        co_await stuck();
    });
    const auto third = co_await numbers.next();  // here, while others are cancelled
    seen.push_back(*third);
    cancelled.cancel();
    CHECK(seen == std::vector{0, 1, 2});
    CHECK(told == "+ticks");
}

LEAT_TEST("a dump of tasks shows the body in the consumer's chain") {
    auto consumer = leat::spawn([]() -> leat::task<> {
        auto numbers = ticks(1);
        (void)co_await numbers.next();
    });
    co_await leat::yield();
    const std::string text = leat::dump_tasks();
    INFO(text);
    CHECK(text.find("ticks") != std::string::npos);
    consumer.cancel();
    co_await consumer.join();
}

TEST_CASE("a generator that outlives its run is destroyed like any object") {
    told.clear();
    std::optional<async_generator<int>> kept;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        kept.emplace(ticks(2));
        co_await expect_next(*kept, "0");
    });
    CHECK(told == "+ticks");
    kept.reset();
    CHECK(told == "+ticks-ticks");
}
