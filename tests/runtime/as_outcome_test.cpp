// SPDX-License-Identifier: MIT
#include <leat/as_outcome.hpp>

#include "brittle.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using leat::as_outcome;
using leat::stuck;

namespace {

leat::task<std::unique_ptr<int>> boxed(int number) {
    co_await leat::yield();
    co_return std::make_unique<int>(number);
}

leat::task<> fails() {
    co_await leat::yield();
    throw std::runtime_error("broken");
}

leat::task<leat::brittle> give_brittle(int copies) {
    co_return leat::brittle(copies);
}

std::string text_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return known.what();
    }
}

}  // namespace

VIRTUAL_TEST("as_outcome gives the value of a task, a callable, a handle or an operation") {
    auto of_task = co_await as_outcome(boxed(1));
    auto of_callable = co_await as_outcome([] { return boxed(2); });
    auto of_handle = co_await as_outcome(leat::spawn(boxed, 3));
    CHECK(*of_task.value() + *of_callable.value() + *of_handle.value() == 6);
    kernel.inline_results[7] = 5;
    const auto of_operation = co_await as_outcome(leat::transfer(7));
    CHECK(of_operation.value() == 5);
    const auto of_nothing = co_await as_outcome(leat::yield());
    CHECK(of_nothing.ok());
}

VIRTUAL_TEST("as_outcome gives the exception of what fails, also before it begins") {
    const auto late = co_await as_outcome(fails());
    CHECK(text_of(late.error()) == "broken");
    const auto of_handle = co_await as_outcome(leat::spawn(fails));
    CHECK(text_of(of_handle.error()) == "broken");
    const auto early = co_await as_outcome([]() -> leat::task<> { throw std::runtime_error("no task"); });
    CHECK(text_of(early.error()) == "no task");
    CHECK(leat::reports.empty());
}

LEAT_TEST("as_outcome of a handle tells that its task was cancelled, and why") {
    auto victim = leat::spawn(stuck);
    victim.cancel("nobody needs it");
    const auto ended = co_await as_outcome(victim);
    CHECK(ended.cancelled());
    CHECK(ended.why().text() == "nobody needs it");
}

LEAT_TEST("a task that failed because it awaited a cancelled one has failed, it was not cancelled") {
    auto victim = leat::spawn(stuck);
    auto waits = leat::spawn([&]() -> leat::task<> { co_await victim; });
    victim.cancel();
    const auto ended = co_await as_outcome(waits);
    CHECK_FALSE(ended.cancelled());
    CHECK(ended.error() != nullptr);
}

VIRTUAL_TEST("as_outcome absorbs no cancellation of the task that awaits it") {
    bool went_on = false;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        const auto ended = co_await as_outcome(stuck());
        went_on = ended.cancelled();
    });
    CHECK_FALSE(finished);
    CHECK_FALSE(went_on);
}

LEAT_TEST("as_outcome gives the exception of a value that could not be passed on") {
    int failed = 0;
    for (int copies = 0; copies < 8; ++copies) {
        const auto ended = co_await as_outcome(give_brittle(copies));
        failed += ended.error() != nullptr ? 1 : 0;
        CHECK(ended.ok() == (ended.error() == nullptr));
    }
    CHECK(failed == 3);  // co_return, the end of the task, the outcome
}
