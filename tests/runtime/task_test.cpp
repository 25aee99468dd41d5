// SPDX-License-Identifier: MIT
#include "virtual_kernel.hpp"

#include <leat/sleep.hpp>
#include <leat/task.hpp>
#include <leat/testing/doctest.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using leat::task;

// Counts what lives, to see that frames, arguments and results are destroyed, and once.
struct counted {
    explicit counted(int number = 0) noexcept : value(number) { ++alive; }
    counted(const counted& other) noexcept : value(other.value) { ++alive; }
    counted(counted&& other) noexcept : value(other.value) { ++alive; }
    ~counted() { --alive; }
    int value;
    static inline int alive = 0;
};

struct throws_late {
    ~throws_late() noexcept(false) { throw std::runtime_error("late"); }
};

// Writes its name down when it dies.
struct noted {
    noted(std::vector<std::string>& log, std::string name) : log_(&log), name_(std::move(name)) {}
    noted(noted&& other) noexcept : log_(std::exchange(other.log_, nullptr)), name_(std::move(other.name_)) {}
    noted(const noted&) = delete;
    ~noted() {
        if (log_ != nullptr) {
            log_->push_back(name_);
        }
    }

private:
    std::vector<std::string>* log_;
    std::string name_;
};

struct no_default {
    explicit no_default(int given_number) noexcept : value(given_number) {}
    int value;
};

task<int> given_number(int value) {
    co_return value;
}

task<int> number_later(int value) {
    co_await leat::yield();
    co_return value;
}

task<> fails(const char* text) {
    co_await leat::yield();
    throw std::runtime_error(text);
}

task<bool> is_even(int value) {
    co_await leat::yield();
    co_return value % 2 == 0;
}

}  // namespace

static_assert(std::is_nothrow_move_constructible_v<task<int>>);
static_assert(!std::is_copy_constructible_v<task<int>>);
static_assert(std::is_same_v<task<int&>::value_type, int&>);

LEAT_TEST("a task gives its value to who awaits it") {
    const int soon = co_await given_number(5);
    const int late = co_await number_later(6);
    CHECK(soon + late == 11);
}

LEAT_TEST("a task gives references, also to what is const") {
    int value = 1;
    auto refer = [](int& to) -> task<int&> { co_return to; };
    auto look = [](const int& to) -> task<const int&> { co_return to; };
    int& changed = co_await refer(value);
    changed = 2;
    const int& seen = co_await look(value);
    CHECK(&seen == &value);
    CHECK(value == 2);
}

LEAT_TEST("a task gives what can only be moved, and what has no default") {
    auto own = [](int value) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(value); };
    auto make = [](int value) -> task<no_default> { co_return no_default(value); };
    const auto owned = co_await own(3);
    const auto made = co_await make(4);
    CHECK(*owned == 3);
    CHECK(made.value == 4);
}

LEAT_TEST("a result can be returned as a list of its parts") {
    auto pair = []() -> task<std::pair<int, std::string>> { co_return {1, "one"}; };
    const auto got = co_await pair();
    CHECK(got.first == 1);
    CHECK(got.second == "one");
}

LEAT_TEST("an exception passes through all frames to the one that catches it") {
    auto middle = []() -> task<int> {
        const counted local;
        co_await fails("deep down");
        co_return 1;
    };
    auto outer = [&]() -> task<int> {
        const counted local;
        co_return co_await middle();
    };
    std::string caught;
    try {
        co_await outer();
    } catch (const std::runtime_error& error) {
        caught = error.what();
    }
    CHECK(caught == "deep down");
    CHECK(counted::alive == 0);
}

LEAT_TEST("a task that was caught failing can be followed by others") {
    int caught = 0;
    for (int i = 0; i < 3; ++i) {
        try {
            co_await fails("again");
        } catch (const std::exception&) {
            ++caught;
        }
        caught += co_await number_later(10);
    }
    CHECK(caught == 33);
}

LEAT_TEST("a destructor that throws after co_return makes the task fail, and the value is destroyed") {
    auto body = []() -> task<counted> {
        const throws_late local;
        co_return counted();
    };
    bool caught = false;
    try {
        co_await body();
    } catch (const std::runtime_error&) {
        caught = true;
    }
    CHECK(caught);
    CHECK(counted::alive == 0);
}

LEAT_TEST("a task that goes on after a destructor threw behind its co_return gives only its last value") {
    const auto body = [](counted first) -> task<counted> {
        try {
            const throws_late local;
            co_return first;
        } catch (const std::runtime_error&) {
        }
        co_await leat::yield();
        co_return counted(8);
    };
    {
        const counted awaited = co_await body(counted(7));
        auto child = leat::spawn(body, counted(7));
        const counted spawned = co_await child;
        CHECK(awaited.value == 8);
        CHECK(spawned.value == 8);
    }
    CHECK(counted::alive == 0);
}

LEAT_TEST("a task that is cancelled after a destructor threw behind its co_return has no value") {
    const auto body = []() -> task<counted> {
        try {
            const throws_late local;
            co_return counted(7);
        } catch (const std::runtime_error&) {
        }
        co_await leat::sleep_until(leat::never);
        co_return counted(8);
    };
    auto child = leat::spawn(body);
    co_await leat::yield();
    child.cancel();
    co_await child.join();
    CHECK(child.cancelled());
    CHECK(counted::alive == 0);
}

LEAT_TEST("a value whose move throws fails the task that returned it") {
    struct sticky {
        sticky() = default;
        sticky(const sticky&) { throw std::runtime_error("cannot be copied"); }
    };
    auto body = []() -> task<sticky> {
        const sticky local;
        co_return local;
    };
    std::string caught;
    try {
        co_await body();
    } catch (const std::runtime_error& error) {
        caught = error.what();
    }
    CHECK(caught == "cannot be copied");
}

LEAT_TEST("a task does not start before it is awaited") {
    bool started = false;
    auto body = [&]() -> task<> {
        started = true;
        co_return;
    };
    auto prepared = body();
    co_await leat::yield();
    CHECK_FALSE(started);
    CHECK(prepared.valid());
    co_await std::move(prepared);
    CHECK(started);
    CHECK_FALSE(prepared.valid());
}

TEST_CASE("a task that is never awaited destroys its frame and arguments, without a scheduler too") {
    auto body = [](counted, std::unique_ptr<counted>) -> task<> { co_return; };
    {
        auto dropped = body(counted(), std::make_unique<counted>());
        CHECK(counted::alive == 2);
        auto moved = std::move(dropped);
        CHECK_FALSE(dropped.valid());
        CHECK(counted::alive == 2);
        moved = body(counted(), nullptr);
        CHECK(counted::alive == 1);
    }
    CHECK(counted::alive == 0);
}

LEAT_TEST("tasks are awaited in conditions, loops, arguments and try blocks") {
    int sum = 0;
    for (int i = 0; i < co_await given_number(4); ++i) {
        if (co_await is_even(i)) {
            sum += co_await number_later(i) + co_await given_number(1);
        }
    }
    while (!co_await is_even(sum)) {
        ++sum;
    }
    auto add = [](int a, int b) { return a + b; };
    sum = add(co_await number_later(sum), co_await given_number(100));
    try {
        sum += co_await number_later(1000);
        co_await fails("no");
    } catch (const std::exception&) {
        sum += 10'000;
    }
    CHECK(sum == 11'104);
}

LEAT_TEST("locals, arguments and temporaries die in the order they would in a function") {
    std::vector<std::string> log;
    auto inner = [&]([[maybe_unused]] noted argument) -> task<int> {
        const noted first(log, "first local");
        const noted second(log, "second local");
        co_await leat::yield();
        co_return 1;
    };
    auto outer = [&]() -> task<> {
        const noted local(log, "outer local");
        co_await inner(noted(log, "argument"));
        log.emplace_back("back in outer");
    };
    co_await outer();
    CHECK(log == std::vector<std::string>{"second local", "first local", "argument", "back in outer",
                                          "outer local"});
}

LEAT_TEST("a lambda without captures, a function and a callable object are awaited as the tasks they give") {
    struct ten {
        task<int> operator()() const { return number_later(10); }
    };
    auto stored = []() -> task<int> { co_return co_await given_number(2); };
    const int from_lambda = co_await [] { return given_number(1); };
    const int from_stored = co_await stored;
    const int from_const = co_await std::as_const(stored);
    const int from_object = co_await ten();
    CHECK(from_lambda + from_stored + from_const + from_object == 15);
}

LEAT_TEST("a callable that is awaited keeps its captures until its task has ended") {
    const std::string text = co_await [owned = std::string(100, 'x')]() -> task<std::string> {
        co_await leat::yield();
        co_return owned;
    };
    CHECK(text == std::string(100, 'x'));
}

LEAT_TEST("a task can be stored, passed on and awaited elsewhere") {
    std::vector<task<int>> stored;
    for (int i = 0; i < 5; ++i) {
        stored.push_back(number_later(i));
    }
    auto take = [](task<int> taken) -> task<int> { co_return 1 + co_await std::move(taken); };
    int sum = 0;
    for (auto& each : stored) {
        sum += co_await take(std::move(each));
    }
    CHECK(sum == 15);
}

LEAT_TEST("large frames and large results come back whole") {
    auto large = [](unsigned seed) -> task<std::array<unsigned, 5000>> {
        std::array<unsigned, 5000> filled{};
        for (auto& each : filled) {
            each = seed++;
        }
        co_await leat::yield();
        co_return filled;
    };
    const auto got = co_await large(7);
    CHECK(got.front() == 7);
    CHECK(got.back() == 5006);
}
