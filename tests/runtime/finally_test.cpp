// SPDX-License-Identifier: MIT
#include <leat/finally.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using leat::finally;
using leat::stuck;
using leat::thrown_by;

namespace {

leat::task<> fail(const char* text) {
    co_await leat::yield();
    throw std::runtime_error(text);
}

// A cleanup that waits.
auto note_later(std::string& log) {
    return [&log]() -> leat::task<> {
        co_await leat::sleep(1s);
        log += "cleaned ";
    };
}

}  // namespace

VIRTUAL_TEST("the cleanup runs after a body that returned, and its value goes on") {
    std::string log;
    const int value = co_await finally(
        [&]() -> leat::task<int> {
            log += "body ";
            co_return 5;
        },
        note_later(log));
    CHECK(value == 5);
    CHECK(log == "body cleaned ");
    co_await finally([]() -> leat::task<> { co_return; }, note_later(log));
    CHECK(log == "body cleaned cleaned ");
}

VIRTUAL_TEST("the cleanup runs after a body that threw, also before its first wait, and the error goes on") {
    std::string log;
    const std::string later = co_await thrown_by(finally(fail("late"), note_later(log)));
    CHECK(later == "late");
    auto no_task = []() -> leat::task<> { throw std::runtime_error("early"); };
    const std::string early = co_await thrown_by(finally(no_task, note_later(log)));
    CHECK(early == "early");
    CHECK(log == "cleaned cleaned ");
}

VIRTUAL_TEST("the cleanup of a cancelled body completes, and then the unwinding goes on") {
    std::string log;
    const auto before = leat::now();
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await finally(stuck(), note_later(log));
        log += "not reached ";
    });
    CHECK(!finished);
    CHECK(log == "cleaned ");
    CHECK(leat::now() - before == 2s);
}

VIRTUAL_TEST("a body cancelled before its first wait is cleaned up after, too") {
    std::string log;
    const bool finished = co_await leat::move_on_after(
        0s, [&]() -> leat::task<> { co_await finally(stuck(), note_later(log)); });
    CHECK(!finished);
    CHECK(log == "cleaned ");
}

VIRTUAL_TEST("a cancel that comes during the cleanup waits for it, and the value is given") {
    std::string log;
    int value = 0;
    const bool finished = co_await leat::move_on_after(500ms, [&]() -> leat::task<> {
        value = co_await finally([]() -> leat::task<int> { co_return 5; }, note_later(log));
        log += "value ";
        co_await leat::yield();
        log += "not reached ";
    });
    CHECK(!finished);
    CHECK(value == 5);
    CHECK(log == "cleaned value ");
}

VIRTUAL_TEST("an error of the cleanup replaces the body's value, error and cancellation") {
    auto cleanup = [] { return fail("from the cleanup"); };
    const std::string after_value = co_await thrown_by(finally([]() -> leat::task<> { co_return; }, cleanup));
    CHECK(after_value == "from the cleanup");
    const std::string after_error = co_await thrown_by(finally(fail("from the body"), cleanup));
    CHECK(after_error == "from the cleanup");
    std::string after_cancel;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        try {
            co_await finally(stuck(), cleanup);
        } catch (const std::exception& error) {
            after_cancel = error.what();
        }
        co_await leat::yield();
        after_cancel += ", not reached";
    });
    CHECK(!finished);
    CHECK(after_cancel == "from the cleanup");
}

VIRTUAL_TEST("a cleanup past its limit is abandoned, and the outcome goes on") {
    const auto before = leat::now();
    const int value =
        co_await finally([]() -> leat::task<int> { co_return 5; }, [] { return stuck(); }, {.limit = 3s});
    CHECK(value == 5);
    CHECK(leat::now() - before == 3s);
    const bool finished = co_await leat::move_on_after(
        1s, [&]() -> leat::task<> { co_await finally(stuck(), [] { return stuck(); }, {.limit = 2s}); });
    CHECK(!finished);
    CHECK(leat::now() - before == 6s);
}

VIRTUAL_TEST(
    "a cleanup may be a task, which begins once the body has ended, and is dropped if that never began") {
    std::string log;
    const auto cleanup = [&]() -> leat::task<> {
        log += "cleanup ";
        co_return;
    };
    co_await finally(
        [&]() -> leat::task<> {
            co_await leat::yield();
            log += "body ";
        },
        cleanup());
    CHECK(log == "body cleanup ");
    {
        [[maybe_unused]] const auto never_awaited = finally(stuck(), cleanup());
    }
    CHECK(log == "body cleanup ");
}

VIRTUAL_TEST("cleanups run from the inside outwards") {
    std::string log;
    auto note = [&](const char* text) {
        return [&log, text]() -> leat::task<> {
            co_await leat::yield();
            log += text;
        };
    };
    const bool finished = co_await leat::move_on_after(
        1s, [&]() -> leat::task<> { co_await finally(finally(stuck(), note("inner ")), note("outer ")); });
    CHECK(!finished);
    CHECK(log == "inner outer ");
}
