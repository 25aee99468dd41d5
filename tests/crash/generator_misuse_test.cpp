// SPDX-License-Identifier: MIT
// Misuse of generators aborts and names the rule.
#include "aborts.hpp"

#include <leat/runtime.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

#include <doctest/doctest.h>

using leat::testing::check_aborts;
using leat::testing::check_task_aborts;

namespace {

leat::generator<int> one() {
    co_yield 1;
}

leat::async_generator<int> slow() {
    co_await leat::yield();
    co_yield 1;
}

struct throwing {
    throwing() noexcept = default;
    throwing(const throwing&) = delete;
    throwing& operator=(const throwing&) = delete;
    ~throwing() noexcept(false) { throw std::runtime_error("from a destructor"); }
};

}  // namespace

TEST_CASE("asking a generator that was moved from aborts") {
    check_aborts(
        [] {
            auto numbers = one();
            const auto moved = std::move(numbers);
            (void)numbers.next();
        },
        "the generator was moved from");
    check_aborts(
        [] {
            auto all = [](leat::generator<int> none) -> leat::generator<int> {
                co_yield leat::elements_of(std::move(none));
            }(leat::generator<int>());
            (void)all.next();
        },
        "the elements are those of a generator");
    check_task_aborts(
        []() -> leat::task<> {
            auto numbers = slow();
            const auto moved = std::move(numbers);
            (void)co_await numbers.next();
        },
        "the generator was moved from");
}

TEST_CASE("a generator that asks itself for an item, or destroys itself, aborts") {
    check_aborts(
        [] {
            leat::generator<int> numbers;
            numbers = [](leat::generator<int>& self) -> leat::generator<int> {
                co_yield *self.next();
            }(numbers);
            (void)numbers.next();
        },
        "a generator is not asked for an item by its own body");
    check_aborts(
        [] {
            std::optional<leat::generator<int>> numbers;
            numbers = [](std::optional<leat::generator<int>>& self) -> leat::generator<int> {
                self.reset();
                co_yield 1;
            }(numbers);
            (void)numbers->next();
        },
        "a generator is not destroyed by its own body");
}

TEST_CASE("a destructor that throws while its generator is destroyed aborts") {
    check_aborts(
        [] {
            auto numbers = []() -> leat::generator<int> {
                const throwing local;
                co_yield 1;
            }();
            (void)numbers.next();
        },
        "a destructor does not throw while its generator is destroyed");
    check_task_aborts(
        []() -> leat::task<> {
            auto numbers = []() -> leat::async_generator<int> {
                const throwing local;
                co_yield 1;
            }();
            (void)co_await numbers.next();
        },
        "a destructor does not throw while its generator is destroyed");
}

TEST_CASE("a conversation out of turn aborts") {
    const auto echo = []() -> leat::generator<int, int> {
        for (int said = 0;;) {
            said = co_yield said;
        }
    };
    check_aborts([&] { (void)echo().send(1); }, "a generator is begun by next()");
    check_aborts(
        [&] {
            auto talk = echo();
            (void)talk.next();
            (void)talk.next();
        },
        "a co_yield that asks is answered by send()");
}

TEST_CASE("two next() of one generator at a time abort") {
    check_task_aborts(
        []() -> leat::task<> {
            auto numbers = slow();
            const auto ask = [&]() -> leat::task<> { (void)co_await numbers.next(); };
            co_await leat::gather(ask(), ask());
        },
        "two next() of one generator wait at once");
}

TEST_CASE("destroying or moving a generator while its next() waits aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            std::optional<leat::async_generator<int>> numbers(slow());
            auto consumer = leat::spawn([&]() -> leat::task<> { (void)co_await numbers->next(); });
            co_await leat::yield();
            numbers.reset();
        },
        "a generator is not destroyed while its next() waits");
    check_task_aborts(
        []() -> leat::task<> {
            auto numbers = slow();
            auto consumer = leat::spawn([&]() -> leat::task<> { (void)co_await numbers.next(); });
            co_await leat::yield();
            const auto moved = std::move(numbers);
        },
        "a generator is not moved while its next() waits");
}
