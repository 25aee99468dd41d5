// SPDX-License-Identifier: MIT
#include <leat/sync/one_shot.hpp>

#include "../virtual_kernel.hpp"
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;
using leat::thrown_by;

namespace {

std::exception_ptr an_error() {
    return std::make_exception_ptr(std::runtime_error("broken"));
}

leat::task<> note_outcome(leat::one_shot<std::string>& one, std::vector<std::string>& log) {
    const leat::outcome<std::string>& outcome = co_await one.wait();
    log.push_back(outcome.ok() ? outcome.value() : "an error");
}

template <typename T>
leat::task<> take(leat::one_shot<T>& one) {
    (void)co_await one;
}

// Throws when it is made from a negative number.
struct picky {
    explicit picky(int number) : value(number) {
        if (number < 0) {
            throw std::invalid_argument("negative");
        }
    }
    int value;
};

}  // namespace

VIRTUAL_TEST("a one_shot gives its value to who awaited it before, and moves it out") {
    leat::one_shot<std::unique_ptr<int>> one;
    auto waiter = leat::spawn([&]() -> leat::task<int> {
        const auto taken = co_await one;
        co_return *taken;
    });
    co_await leat::sleep(1s);
    CHECK(!waiter.done());
    CHECK(!one.is_set());
    one.set(std::make_unique<int>(7));
    CHECK(one.is_set());
    const int value = co_await waiter;
    CHECK(value == 7);
    CHECK(one.is_set());
}

LEAT_TEST("a one_shot that is set already is not waited for") {
    leat::one_shot<std::string> one;
    one.set("here");
    bool other_ran = false;
    auto other = leat::spawn([&]() -> leat::task<> {
        other_ran = true;
        co_return;
    });
    const std::string value = co_await one;
    CHECK(value == "here");
    CHECK(!other_ran);
    co_await other;
}

LEAT_TEST("the error of a one_shot is thrown to all who await it, and to nobody who only looks") {
    leat::one_shot<std::string> one;
    std::vector<std::string> log;
    auto looking = leat::spawn(note_outcome, std::ref(one), std::ref(log));
    co_await leat::yield();
    one.set_error(an_error());
    const std::string first = co_await thrown_by(take(one));
    const std::string second = co_await thrown_by(take(one));
    CHECK(first == "broken");
    CHECK(second == "broken");
    co_await looking;
    CHECK(log == std::vector<std::string>{"an error"});
}

LEAT_TEST("any number of tasks see one value, in the order in which they came") {
    leat::one_shot<std::string> one;
    std::vector<std::string> log;
    auto a = leat::spawn(note_outcome, std::ref(one), std::ref(log));
    auto b = leat::spawn(note_outcome, std::ref(one), std::ref(log));
    co_await leat::yield();
    one.set("seen");
    co_await leat::join_all(a, b);
    co_await note_outcome(one, log);
    CHECK(log == std::vector<std::string>{"seen", "seen", "seen"});
    const std::string taken = co_await one;
    CHECK(taken == "seen");
}

LEAT_TEST("who comes second with a result keeps it") {
    leat::one_shot<std::unique_ptr<int>> one;
    CHECK(one.try_set(std::make_unique<int>(1)));
    auto late = std::make_unique<int>(2);
    CHECK(!one.try_set(std::move(late)));
    CHECK(late != nullptr);
    CHECK(!one.try_set_error(an_error()));
    const auto value = co_await one;
    CHECK(*value == 1);

    leat::one_shot<> failed;
    CHECK(failed.try_set_error(an_error()));
    CHECK(!failed.try_set());
}

LEAT_TEST("a value that cannot be made sets nothing, and the next one does") {
    leat::one_shot<picky> one;
    CHECK_THROWS_AS(one.set(-1), std::invalid_argument);
    CHECK(!one.is_set());
    one.set(1);
    const picky made = co_await one;
    CHECK(made.value == 1);
}

LEAT_TEST("a one_shot of nothing, and one of a reference") {
    leat::one_shot<> done;
    auto waiter = leat::spawn(take<void>, std::ref(done));
    co_await leat::yield();
    done.set();
    co_await waiter;
    co_await done;

    int number = 3;
    leat::one_shot<int&> place;
    place.set(number);
    int& found = co_await place;
    CHECK(&found == &number);
    const leat::outcome<int&>& outcome = co_await place.wait();
    CHECK(&outcome.value() == &number);
}

VIRTUAL_TEST("a one_shot is awaited with a deadline, which takes nothing from it") {
    leat::one_shot<int> one;
    const auto early = co_await leat::move_on_after(1s, one);
    CHECK(!early.has_value());
    const bool seen = (co_await leat::move_on_after(1s, one.wait())).has_value();
    CHECK(!seen);
    one.set(5);
    const int value = co_await leat::timeout(1s, one);
    CHECK(value == 5);
}

LEAT_TEST("a cancelled wait for a one_shot leaves the value to the others") {
    leat::one_shot<int> one;
    auto cancelled = leat::spawn(take<int>, std::ref(one));
    auto waiter = leat::spawn([&]() -> leat::task<int> { co_return co_await one; });
    co_await leat::yield();
    cancelled.cancel();
    one.set(5);
    const int value = co_await waiter;
    CHECK(value == 5);
    CHECK(cancelled.done());
}

LEAT_TEST("who was given the value before the cancel has it") {
    leat::one_shot<int> one;
    int got = 0;
    auto waiter = leat::spawn([&]() -> leat::task<> { got = co_await one; });
    co_await leat::yield();
    one.set(5);
    waiter.cancel();
    co_await waiter.join();
    CHECK(got == 5);
}

LEAT_TEST("a cancelled task takes nothing from a one_shot that is set") {
    leat::one_shot<int> one;
    one.set(5);
    auto late = leat::spawn(take<int>, std::ref(one));
    late.cancel();
    co_await late.join();
    const int value = co_await one;
    CHECK(value == 5);
}

LEAT_SIMULATE("of many results in any order one is set, which all who wait get, and one takes",
              {.seeds = 200, .random_order = true}) {
    leat::one_shot<int> one;
    std::vector<int> accepted;
    auto setters = spawn_several(4, [&](int number) -> leat::task<> {
        co_await leat::sleep(20 * draw_moment());
        if (one.try_set(number)) {
            accepted.push_back(number);
        }
    });
    std::size_t got = 0;
    auto waiters = spawn_several(4, [&](int) -> leat::task<> {
        for (;;) {
            const auto seen = co_await leat::move_on_after(draw_moment(), one.wait());
            if (seen.has_value()) {
                CHECK(accepted == std::vector{seen->get().value()});
                ++got;
                co_return;
            }
            co_await leat::sleep(1ms);
        }
    });
    co_await cancel_some(waiters);
    co_await leat::join_all(setters);
    co_await leat::join_all(waiters);
    const auto ended = std::ranges::count_if(waiters, [](const auto& each) { return each.ok(); });
    CHECK(got == static_cast<std::size_t>(ended));
    CHECK(accepted.size() == 1);
    const int taken = co_await one;
    CHECK(accepted == std::vector{taken});
}

LEAT_SIMULATE("a result that comes while its taker is cancelled is taken, or there for the next",
              {.seeds = 200, .random_order = true}) {
    leat::one_shot<int> one;
    int taken = 0;
    auto setter = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(5 * draw_moment());
        one.set(7);
    });
    for (bool cancelled = true; cancelled;) {
        auto taker = leat::spawn([&]() -> leat::task<> {
            const int result = co_await one;
            taken += result;
        });
        co_await leat::sleep(draw_moment());
        taker.cancel();
        const auto& ended = co_await taker.join();
        cancelled = ended.cancelled();
        CHECK(taken == (cancelled ? 0 : 7));
    }
    co_await setter;
}
