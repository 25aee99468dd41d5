// SPDX-License-Identifier: MIT
#include <leat/timeout.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <regex>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

using on_cancel = leat::virtual_kernel::on_cancel;
using leat::stuck;

leat::task<int> number_after(leat::duration length, int number) {
    co_await leat::sleep(length);
    co_return number;
}

leat::task<> fails_after(leat::duration length) {
    co_await leat::sleep(length);
    throw std::runtime_error("its own error");
}

// What `body` throws, as text; "nothing" when it ends otherwise.
leat::task<std::string> outcome_text(leat::task<> body) {
    try {
        co_await std::move(body);
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "nothing";
}

// How `body` ends: "timed out", the text of another exception, or "nothing".
leat::task<std::string> outcome_of(leat::task<> body) {
    try {
        co_await std::move(body);
    } catch (const leat::timed_out& error) {
        co_return error.code() == std::errc::timed_out ? "timed out" : "wrong code";
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "nothing";
}

}  // namespace

LEAT_TEST("what ends before its deadline gives its result on every backend, and what does not is cut off") {
    const int soon = co_await leat::timeout(1h, number_after(1ms, 5));
    CHECK(soon == 5);
    const auto late = co_await leat::move_on_after(1ms, number_after(1h, 5));
    CHECK_FALSE(late.has_value());
}

VIRTUAL_TEST("a timeout that passes throws timed_out at its deadline") {
    const auto before = leat::now();
    const std::string thrown =
        co_await outcome_of([]() -> leat::task<> { co_await leat::timeout(3s, stuck()); }());
    CHECK(thrown == "timed out");
    CHECK(leat::now() - before == 3s);
}

VIRTUAL_TEST("timeout_at and move_on_at end at the time that they are given") {
    const auto began = leat::now();
    const std::string thrown = co_await outcome_of(
        [](leat::time_point when) -> leat::task<> { co_await leat::timeout_at(when, stuck()); }(began + 3s));
    CHECK(thrown == "timed out");
    CHECK(leat::now() == began + 3s);
    const bool finished = co_await leat::move_on_at(began + 5s, stuck());
    CHECK_FALSE(finished);
    CHECK(leat::now() == began + 5s);
}

VIRTUAL_TEST("timeout takes an operation, a task, a callable and a handle") {
    kernel.inline_results[7] = 9;
    const std::size_t operation = co_await leat::timeout(1s, leat::transfer(7));
    const int task = co_await leat::timeout(1s, number_after(1ms, 1));
    const int callable = co_await leat::timeout(1s, [] { return number_after(1ms, 2); });
    auto stored = [] { return number_after(1ms, 3); };
    const int lvalue = co_await leat::timeout(1s, stored);
    auto handle = leat::spawn(number_after, 1ms, 4);
    const int awaited = co_await leat::timeout(1s, handle);
    CHECK(operation == 9);
    CHECK(task == 1);
    CHECK(callable == 2);
    CHECK(lvalue == 3);
    CHECK(awaited == 4);
    CHECK(leat::current_scheduler().alarms().empty());
}

VIRTUAL_TEST("a deadline that passes while a handle is awaited leaves its task alone") {
    auto slow = leat::spawn(number_after, 2s, 4);
    const auto early = co_await leat::move_on_after(1s, slow);
    CHECK_FALSE(early.has_value());
    CHECK_FALSE(slow.done());
    const auto in_time = co_await leat::move_on_after(1h, slow);
    CHECK(in_time == 4);
}

VIRTUAL_TEST("a wait for a task's outcome can have a deadline") {
    auto slow = leat::spawn(number_after, 2s, 4);
    const auto early = co_await leat::move_on_after(1s, slow.join());
    CHECK_FALSE(early.has_value());
    const leat::outcome<int>& ended = co_await leat::timeout(2s, slow.join());
    CHECK(ended.value() == 4);
}

VIRTUAL_TEST("move_on_after gives an optional, and for void whether it finished") {
    const std::optional<int> some = co_await leat::move_on_after(2s, number_after(1s, 6));
    const std::optional<int> none = co_await leat::move_on_after(1s, number_after(2s, 6));
    const bool finished = co_await leat::move_on_after(2s, leat::sleep(1s));
    const bool cut_off = co_await leat::move_on_after(1s, leat::sleep(2s));
    CHECK(some == 6);
    CHECK_FALSE(none.has_value());
    CHECK(finished);
    CHECK_FALSE(cut_off);
}

VIRTUAL_TEST("timeout passes a reference on") {
    int value = 0;
    auto refer = [&]() -> leat::task<int&> { co_return value; };
    int& same = co_await leat::timeout(1s, refer());
    CHECK(&same == &value);
    const auto maybe = co_await leat::move_on_after(1s, refer());
    REQUIRE(maybe.has_value());
    CHECK(&maybe->get() == &value);
}

VIRTUAL_TEST("the body's own exception passes, before the deadline and in its turn") {
    const std::string before =
        co_await outcome_of([]() -> leat::task<> { co_await leat::timeout(2s, fails_after(1s)); }());
    const std::string same_turn =
        co_await outcome_of([]() -> leat::task<> { co_await leat::timeout(1s, fails_after(1s)); }());
    CHECK(before == "its own error");
    // The deadline was set before the sleep began.
    CHECK(same_turn == "timed out");
}

VIRTUAL_TEST("a zero, negative or past deadline cancels before the first wait, after running up to it") {
    for (const auto length : {0s, -1s, std::chrono::seconds::min()}) {
        bool begun = false;
        bool waited = false;
        const bool finished = co_await leat::move_on_after(length, [&]() -> leat::task<> {
            begun = true;
            co_await leat::yield();
            waited = true;
        });
        CHECK_FALSE(finished);
        CHECK(begun);
        CHECK_FALSE(waited);
    }
    kernel.inline_results[7] = 1;
    const auto read = co_await leat::move_on_at(leat::now() - 1h, leat::transfer(7));
    CHECK_FALSE(read.has_value());
    CHECK(kernel.submitted == 0);
}

VIRTUAL_TEST("a body that never waits completes even when its deadline has passed") {
    const auto value = co_await leat::move_on_after(0s, []() -> leat::task<int> { co_return 3; });
    CHECK(value == 3);
}

VIRTUAL_TEST("a far deadline never passes and a body within it completes") {
    const int value = co_await leat::timeout(std::chrono::hours::max(), number_after(1000h, 1));
    const int other = co_await leat::timeout_at(leat::never, number_after(1000h, 2));
    CHECK(value + other == 3);
}

VIRTUAL_TEST("a body that completes late gives its value however late") {
    kernel.cancelling = on_cancel::stays;
    kernel.script.push_back([] {});
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(10s);
        kernel.complete(7, 2);
    });
    const auto before = leat::now();
    const auto value = co_await leat::move_on_after(1s, leat::transfer(7));
    CHECK(value == 2);
    CHECK(leat::now() - before == 10s);
}

VIRTUAL_TEST("a delivered result is followed by a cancelled wait, and timeout throws") {
    kernel.cancelling = on_cancel::succeeds_later;
    std::vector<std::string> log;
    const std::string thrown = co_await outcome_of([](std::vector<std::string>& to) -> leat::task<> {
        co_await leat::timeout(1s, [&]() -> leat::task<> {
            co_await leat::transfer(7);
            to.emplace_back("delivered");
            co_await leat::transfer(8);
            to.emplace_back("not reached");
        });
    }(log));
    CHECK(thrown == "timed out");
    CHECK(log == std::vector<std::string>{"delivered"});
    CHECK(kernel.submitted == 1);
}

VIRTUAL_TEST("a deadline that passes while the task is ready cancels its next wait") {
    int yields = 0;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        kernel.advance(2s);
        for (;;) {
            co_await leat::yield();
            ++yields;
        }
    });
    CHECK_FALSE(finished);
    CHECK(yields > 0);
    CHECK(yields <= leat::scheduler::steps_max);
}

VIRTUAL_TEST("a timeout that does not pass leaves no timer behind, also when its body fails") {
    auto& alarms = leat::current_scheduler().alarms();
    co_await leat::timeout(1h, leat::sleep(1s));
    CHECK(alarms.empty());
    const std::string thrown =
        co_await outcome_of([]() -> leat::task<> { co_await leat::timeout(1h, fails_after(1s)); }());
    CHECK(thrown == "its own error");
    CHECK(alarms.empty());
    auto refuse = [](bool given) -> leat::task<> {
        return given ? stuck() : throw std::runtime_error("no task");
    };
    bool caught = false;
    try {
        co_await leat::timeout(1h, [&] { return refuse(false); });
    } catch (const std::runtime_error&) {
        caught = true;
    }
    CHECK(caught);
    CHECK(alarms.empty());
    co_await leat::yield();  // the scope is left: a wait is possible
}

VIRTUAL_TEST("as_result makes a passed deadline a value") {
    const auto late = co_await leat::as_result(leat::timeout(1s, stuck()));
    CHECK(late.error() == std::errc::timed_out);
    const auto soon = co_await leat::as_result(leat::timeout(2s, number_after(1s, 3)));
    REQUIRE(soon.ok());
    CHECK(*soon == 3);
}

VIRTUAL_TEST("a deadline cuts off a long chain of awaits and the task goes on") {
    auto deep = [](auto& self, int depth) -> leat::task<int> {
        if (depth == 0) {
            co_await stuck();
        }
        co_return 1 + co_await self(self, depth - 1);
    };
    for (int i = 0; i < 3; ++i) {
        const auto depth = co_await leat::move_on_after(1s, deep(deep, 100));
        CHECK_FALSE(depth.has_value());
        co_await leat::sleep(1s);
    }
}

VIRTUAL_TEST("a deadline set after a long computation counts from then, not from the turn's beginning") {
    const auto began = kernel.now();
    kernel.advance(10ms);  // the computation
    const bool finished = co_await leat::move_on_after(5ms, leat::sleep(1h));
    CHECK_FALSE(finished);
    CHECK(kernel.now() - began == 15ms);
    kernel.advance(10ms);
    co_await leat::sleep(5ms);
    CHECK(kernel.now() - began == 30ms);
}

namespace {

// What `body` fails with, but for the folders of files.
leat::task<std::string> text_of_failure(leat::task<> body) {
    std::string text = co_await outcome_text(std::move(body));
    co_return std::regex_replace(text, std::regex("[^ ]*tests/"), "");
}

}  // namespace

VIRTUAL_TEST("timed_out tells where the timeout is, how long it was, and what was waited for") {
    constexpr int line = __LINE__ + 4;
    const auto in_line = [](int which) { return "runtime/timeout_test.cpp:" + std::to_string(which); };
    const auto sleeps = []() -> leat::task<> { co_await leat::sleep(1h); };
    const std::string of_body = co_await text_of_failure(
        [](auto body) -> leat::task<> { co_await leat::timeout(1500ms, body()); }(sleeps));
    CHECK(of_body == "the timeout of 1500 ms at " + in_line(line) + " passed, waiting for sleep at " +
                         in_line(line - 2) + ": Connection timed out");

    const std::string of_wait = co_await text_of_failure([]() -> leat::task<> {
        leat::event never_set;
        co_await leat::timeout(3s, never_set.wait());
    }());
    CHECK(of_wait == "the timeout of 3 s at " + in_line(line + 6) +
                         " passed, waiting for an event: Connection timed out");

    const std::string of_deadline = co_await text_of_failure([]() -> leat::task<> {
        const auto other = leat::spawn(stuck);
        co_await leat::timeout_at(leat::now() + 1s, other.join());
    }());
    CHECK(of_deadline ==
          "the deadline at " + in_line(line + 13) + " passed, waiting for task 2: Connection timed out");

    const std::string of_the_past =
        co_await text_of_failure([]() -> leat::task<> { co_await leat::timeout(0s, leat::sleep(1s)); }());
    CHECK(of_the_past == "the timeout of 0 s at " + in_line(line + 19) + " passed: Connection timed out");
}

VIRTUAL_TEST("timed_out tells of a spawned timeout where it was written, and no lines of the library") {
    constexpr int line = __LINE__ + 3;
    auto child = leat::spawn([]() -> leat::task<> {
        co_await leat::spawn(
            leat::timeout(2s, leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                              group.spawn(stuck);
                              co_await group.wait();
                          })));
    });
    const auto failed = co_await leat::as_result(child);
    const std::string text = std::regex_replace(failed.error_text(), std::regex("[^ ]*tests/"), "");
    const std::string file = "runtime/timeout_test.cpp:";
    CHECK(text == "the timeout of 2 s at " + file + std::to_string(line) +
                      " passed, waiting for its children at " + file + std::to_string(line + 2) +
                      ": Connection timed out");
    CHECK_THROWS_AS(failed.value(), leat::timed_out);
}

VIRTUAL_TEST("what has come is delivered though tasks have run until the deadline of the wait for it") {
    kernel.script.emplace_back([&] { kernel.complete(3, 5); });
    leat::spawn([&]() -> leat::task<> {
        co_await leat::yield();
        kernel.advance(2s);
    });
    const auto got = co_await leat::move_on_after(1s, leat::transfer(3));
    CHECK(got == 5);
}
