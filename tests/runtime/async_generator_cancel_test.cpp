// SPDX-License-Identifier: MIT
// What cancelling a consumer does to its generator.
#include <leat/async_generator.hpp>

#include "cancel_moments.hpp"
#include "ticks.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::async_generator;
using leat::expect_next;
using leat::stuck;
using leat::teller;
using leat::ticks;
using leat::told;

VIRTUAL_TEST("a consumer that is cancelled inside next() unwinds through the body, innermost first") {
    told.clear();
    auto numbers = []() -> async_generator<int> {
        const teller local("body");
        co_yield 1;
        co_await []() -> leat::task<> {
            const teller inner("inner");
            co_await stuck();
        }();
    }();
    auto consumer = leat::spawn([&]() -> leat::task<> {
        const teller local("consumer");
        (void)co_await numbers.next();
        (void)co_await numbers.next();
    });
    co_await leat::sleep(1s);
    CHECK(told == "+consumer+body+inner");
    consumer.cancel();
    co_await consumer.join();
    CHECK(told == "+consumer+body+inner!inner!body!consumer");
    co_await expect_next(numbers, "cancelled: it was asked to end");
    co_await expect_next(numbers, "cancelled: it was asked to end");
}

VIRTUAL_TEST("a generator that is owned by its cancelled consumer is destroyed once") {
    told.clear();
    auto consumer = leat::spawn([]() -> leat::task<> {
        auto numbers = ticks(100);
        while (co_await numbers.next()) {
        }
    });
    co_await leat::sleep(2500ms);
    consumer.cancel();
    co_await consumer.join();
    CHECK(told == "+ticks!ticks");
}

VIRTUAL_TEST("a timeout around next() throws timed_out, and the generator is cancelled, not ended") {
    told.clear();
    auto numbers = ticks(100);
    const auto first = co_await leat::timeout(5s, numbers.next());
    CHECK(first == 0);
    std::string thrown;
    try {
        (void)co_await leat::timeout(500ms, numbers.next());
    } catch (const leat::timed_out&) {
        thrown = "timed out";
    }
    CHECK(thrown == "timed out");
    CHECK(told == "+ticks!ticks");
    co_await expect_next(numbers, "cancelled: its deadline passed");
}

VIRTUAL_TEST("move_on_after, shield, finally, as_outcome and a cancel scope take next()") {
    auto numbers = ticks(100);
    const std::optional<std::optional<int>> in_time = co_await leat::move_on_after(5s, numbers.next());
    CHECK(in_time == std::optional<int>(0));
    const auto shielded = co_await leat::shield(numbers.next());
    CHECK(shielded == 1);
    const auto scoped = co_await leat::with_cancel_scope(
        [&](leat::cancel_scope&) -> leat::task<int> { co_return (co_await numbers.next()).value(); });
    CHECK(scoped == 2);
    const int cleaned =
        co_await leat::finally([&]() -> leat::task<int> { co_return (co_await numbers.next()).value(); },
                               []() -> leat::task<> { co_await leat::yield(); });
    CHECK(cleaned == 3);
    const auto outcome = co_await leat::as_outcome(numbers.next());
    CHECK(outcome.value() == 4);
    const auto late = co_await leat::move_on_after(500ms, numbers.next());
    CHECK(!late.has_value());
    co_await expect_next(numbers, "cancelled: its deadline passed");

    std::string text = "text";
    auto texts = [](std::string& lent) -> async_generator<std::string&> { co_yield lent; }(text);
    const std::optional<std::string*> lent = co_await leat::move_on_after(5s, texts.next());
    CHECK(*lent == &text);
}

VIRTUAL_TEST("an item that is ready in spite of a cancellation is delivered") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    auto numbers = []() -> async_generator<int> {
        co_yield static_cast<int>(co_await leat::transfer(7));
        co_yield 99;
    }();
    std::string log;
    auto consumer = leat::spawn([&]() -> leat::task<> {
        auto item = co_await numbers.next();
        log += std::to_string(*item) + " ";
        item = co_await numbers.next();  // waits for nothing
        log += std::to_string(*item) + " ";
        co_await leat::yield();
        log += "not reached";
    });
    co_await leat::yield();
    consumer.cancel();
    co_await consumer.join();
    CHECK(log == "1 99 ");
    co_await expect_next(numbers, "end");
}

VIRTUAL_TEST("in a cancelled task the body runs to its first wait, and unwinds there") {
    told.clear();
    auto numbers = ticks(1);
    const bool finished = co_await leat::move_on_after(0s, [&]() -> leat::task<> {
        (void)co_await numbers.next();
        told += "not reached";
    });
    CHECK(!finished);
    CHECK(told == "+ticks!ticks");
    co_await expect_next(numbers, "cancelled: its deadline passed");
}

VIRTUAL_TEST("a deadline inside the body does not end the generator") {
    auto numbers = []() -> async_generator<int> {
        for (int i = 0; i < 2; ++i) {
            const bool finished = co_await leat::move_on_after(1s, stuck());
            CHECK(!finished);
            co_yield i;
        }
    }();
    co_await expect_next(numbers, "0");
    co_await expect_next(numbers, "1");
    co_await expect_next(numbers, "end");
}

VIRTUAL_TEST("cancelling the task that took an item before does not reach the generator") {
    auto numbers = ticks(100);
    auto former = leat::spawn([&]() -> leat::task<> {
        (void)co_await numbers.next();
        co_await stuck();
    });
    co_await leat::sleep(1500ms);
    former.cancel();
    co_await former.join();
    co_await expect_next(numbers, "1");
}

VIRTUAL_TEST("no scope of the body is open at a co_yield") {
    leat::detail::scope_node* const outside = leat::this_thread.task->innermost;
    auto numbers = []() -> async_generator<int> {
        co_await leat::timeout(1h, leat::yield());
        co_yield 1;
        (void)co_await leat::with_cancel_scope([](leat::cancel_scope& scope) -> leat::task<> {
            scope.cancel();
            co_await leat::yield();
        });
        co_yield 2;
        co_await leat::with_task_group([](leat::task_group& group) -> leat::task<> {
            group.spawn([]() -> leat::task<> { co_await leat::sleep(1s); });
            co_return;
        });
        co_yield 3;
        co_await leat::shield(leat::sleep(1s));
        co_yield 4;
    }();
    int items = 0;
    while (co_await numbers.next()) {
        ++items;
        CHECK(leat::this_thread.task->innermost == outside);
        CHECK(outside->children.empty());
        CHECK(leat::current_scheduler().alarms().empty());
    }
    CHECK(items == 4);
}

VIRTUAL_TEST("a generator consumes another, and both are left or cancelled as one") {
    const auto doubled = [](async_generator<int> from) -> async_generator<int> {
        const teller local("doubled");
        while (auto number = co_await from.next()) {
            co_yield *number * 2;
        }
    };
    told.clear();
    auto numbers = doubled(ticks(2));
    co_await expect_next(numbers, "0");
    co_await expect_next(numbers, "2");
    co_await expect_next(numbers, "end");
    CHECK(told == "+doubled+ticks-ticks-doubled");
    told.clear();
    {
        auto left = doubled(ticks(2));
        co_await expect_next(left, "0");
    }
    CHECK(told == "+doubled+ticks-doubled-ticks");
    told.clear();
    auto cancelled = doubled(ticks(2));
    const auto none = co_await leat::move_on_after(500ms, cancelled.next());
    CHECK(!none.has_value());
    CHECK(told == "+doubled+ticks!ticks!doubled");
}

VIRTUAL_TEST("an item that wins a race is given, and a generator that loses one is cancelled") {
    auto numbers = ticks(100);
    const auto first_of = [&](leat::duration other) {
        return leat::race([&]() -> leat::task<int> { co_return (co_await numbers.next()).value(); },
                          [=]() -> leat::task<> { co_await leat::sleep(other); });
    };
    const auto won = co_await first_of(5s);
    CHECK(std::get<0>(won) == 0);
    const auto lost = co_await first_of(500ms);
    CHECK(!std::get<0>(lost).has_value());
    CHECK(std::get<1>(lost).has_value());
    const std::string later = co_await leat::next_of(numbers);
    CHECK(later.starts_with("cancelled"));
}

namespace {

// A generator that gives a number each time its gate opens. One that was cancelled is over, and the next
// consumer begins another; the gate is as it was.
class next_trial : public cancel_tests::trial {
public:
    leat::task<> attempt() {
        if (std::exchange(begun_, true)) {
            co_await expect_next(numbers_, "cancelled: it was asked to end");
            numbers_ = opened();
        }
        const auto number = co_await numbers_.next();
        begun_ = false;
        CHECK(number.has_value());
        given_.push_back(number.value_or(-1));
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(given_ == taken_, where);
        CHECK_MESSAGE(living_ == 1, where);
        gate_.reset();
        co_return;
    }

private:
    async_generator<int> opened() {
        struct alive {
            int& count;
            ~alive() { --count; }
        };
        const alive self{++living_};
        for (;;) {
            co_await gate_.wait();
            taken_.push_back(static_cast<int>(taken_.size()));
            co_yield taken_.back();
        }
    }

    leat::event gate_;
    std::vector<int> taken_;
    std::vector<int> given_;
    int living_ = 0;
    bool begun_ = false;
    async_generator<int> numbers_ = opened();
};

}  // namespace

LEAT_TEST("a next() that is cancelled at any moment ends the generator, or gives its item") {
    co_await cancel_tests::cancelled_at_any_moment<next_trial>("next");
}
