// SPDX-License-Identifier: MIT
// Who learns of a task's error: each error is heard once, by a handle, a group or the report.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

leat::task<> fails(const char* text) {
    co_await leat::yield();
    throw std::runtime_error(text);
}

// Lets every other task run until it waits for something else than its turn.
leat::task<> settle() {
    for (int i = 0; i < 10; ++i) {
        co_await leat::yield();
    }
}

bool report_mentions(const std::string& line, std::string_view what) {
    return line.find(what) != std::string::npos;
}

}  // namespace

using leat::reports;

VIRTUAL_TEST(
    "the error of a task whose handle was dropped before its end is reported once, with its origin") {
    leat::spawn(fails, "unheard");
    co_await settle();
    REQUIRE(reports.size() == 1);
    CHECK(report_mentions(reports[0], "unheard"));
    CHECK(report_mentions(reports[0], "report_test.cpp:" + std::to_string(__LINE__ - 4)));
}

VIRTUAL_TEST("the error of a task whose handle is dropped after its end is reported then") {
    auto failed = leat::spawn(fails, "unasked");
    co_await settle();
    CHECK(failed.done());
    CHECK(reports.empty());
    failed = leat::handle<>();
    REQUIRE(reports.size() == 1);
    CHECK(report_mentions(reports[0], "unasked"));
}

VIRTUAL_TEST("an error that was awaited, joined or asked for is not reported") {
    bool caught = false;
    {
        auto awaited = leat::spawn(fails, "awaited");
        auto joined = leat::spawn(fails, "joined");
        auto asked = leat::spawn(fails, "asked");
        try {
            co_await awaited;
        } catch (const std::runtime_error&) {
            caught = true;
        }
        co_await joined.join();
        co_await settle();
        CHECK(asked.error() != nullptr);
    }
    CHECK(caught);
    CHECK(reports.empty());
}

VIRTUAL_TEST("asking a running task for its error does not count as hearing it") {
    auto failed = leat::spawn(fails, "later");
    CHECK(failed.error() == nullptr);
    co_await settle();
    failed = leat::handle<>();
    CHECK(reports.size() == 1);
}

VIRTUAL_TEST("join_all does not hear the errors of the tasks that it waits for") {
    auto good = leat::spawn([]() -> leat::task<> { co_return; });
    auto bad = leat::spawn(fails, "nobody asked");
    co_await leat::join_all(good, bad);
    CHECK(reports.empty());
    bad = leat::handle<>();
    CHECK(reports.size() == 1);
}

VIRTUAL_TEST("an error is reported when the last one who waited for the task was cancelled") {
    auto failing = leat::spawn([]() -> leat::task<> {
        co_await leat::sleep(1s);
        throw std::runtime_error("to nobody");
    });
    auto waiter =
        leat::spawn([](leat::handle<> target) -> leat::task<> { co_await target; }, std::move(failing));
    co_await leat::yield();
    waiter.cancel();
    co_await waiter.join();
    CHECK(reports.empty());
    co_await leat::sleep(2s);
    REQUIRE(reports.size() == 1);
    CHECK(report_mentions(reports[0], "to nobody"));
}

VIRTUAL_TEST("an error is reported when the wait for it is cancelled in the turn of the failure") {
    auto failing = leat::spawn(fails, "just now");
    auto waiter = leat::spawn([&]() -> leat::task<> { co_await failing; });
    co_await leat::yield();
    failing = leat::handle<>();  // only the wait refers to the task now
    waiter.cancel();
    co_await settle();
    CHECK(reports.size() == 1);
}

VIRTUAL_TEST("an error that passes from task to task is reported once, by the last") {
    leat::spawn([]() -> leat::task<> {
        auto inner = leat::spawn(fails, "passed on");
        co_await inner;
    });
    co_await settle();
    CHECK(reports.size() == 1);
}

VIRTUAL_TEST("an error that is no std::exception is reported too") {
    leat::spawn([]() -> leat::task<> {
        throw 5;
        co_return;
    });
    co_await settle();
    CHECK(reports.size() == 1);
}

VIRTUAL_TEST("the end of a cancelled task is not reported") {
    leat::spawn([]() -> leat::task<> { co_await leat::sleep_until(leat::never); });
    auto dropped = leat::spawn([]() -> leat::task<> { co_await leat::sleep_until(leat::never); });
    co_await leat::yield();
    dropped.cancel();
    dropped = leat::handle<>();
    co_await settle();
    CHECK(reports.empty());
}

TEST_CASE("the errors of background tasks that end with the run are reported") {
    leat::run_virtually([](leat::virtual_kernel&) -> leat::task<> {
        leat::spawn([]() -> leat::task<> {
            struct on_exit {
                ~on_exit() { leat::spawn(fails, "from a destructor"); }
            };
            const on_exit last;
            co_await leat::sleep_until(leat::never);
        });
        leat::spawn([]() -> leat::task<> {
            try {
                co_await fails("handled");
            } catch (...) {
            }
            throw std::runtime_error("at the end");
        });
        co_await leat::yield();
    });
    REQUIRE(reports.size() == 1);
    CHECK(report_mentions(reports[0], "at the end"));
}

TEST_CASE("an error in a handle that outlives its run is reported when the handle is dropped") {
    leat::handle<> failed;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        failed = leat::spawn(fails, "too late");
        co_await settle();
    });
    CHECK(reports.empty());
    failed = leat::handle<>();
    REQUIRE(reports.size() == 1);
    CHECK(report_mentions(reports[0], "too late"));
}

TEST_CASE("the error of the main task is thrown from run and not reported") {
    CHECK_THROWS_WITH_AS(leat::run_virtually([](leat::virtual_kernel&) { return fails("main"); }), "main",
                         std::runtime_error);
    CHECK(reports.empty());
}
