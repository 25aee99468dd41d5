// SPDX-License-Identifier: MIT
#include <leat/cancel_scope.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <optional>
#include <string>

using namespace std::chrono_literals;
using leat::stuck;
using leat::with_cancel_scope;

VIRTUAL_TEST("a scope that is not cancelled gives what its body gives") {
    const auto value = co_await with_cancel_scope([](leat::cancel_scope& scope) -> leat::task<int> {
        CHECK(!scope.cancelled());
        CHECK(scope.deadline() == leat::never);
        CHECK(scope.reason() == leat::cancel_reason::none);
        co_return 7;
    });
    CHECK(value == 7);
    const bool finished = co_await with_cancel_scope([](leat::cancel_scope&) -> leat::task<> { co_return; });
    CHECK(finished);
}

LEAT_TEST("a scope keeps the reason it was first cancelled for") {
    leat::cancel_reason seen;
    const bool finished = co_await with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        scope.cancel("nobody listens");
        scope.cancel("too late");
        seen = scope.reason();
        co_await leat::checkpoint();
    });
    CHECK(!finished);
    CHECK(seen.text() == "nobody listens");
}

VIRTUAL_TEST("a scope is cancelled by who holds it, and ends at the wait inside") {
    leat::cancel_scope* shown = nullptr;
    auto other = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        shown->cancel();
        CHECK(shown->cancelled());
        CHECK(shown->reason() == leat::cancel_reason::requested);
    });
    const auto before = leat::now();
    const bool finished = co_await with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        shown = &scope;
        co_await stuck();
    });
    CHECK(!finished);
    CHECK(leat::now() - before == 1s);
    co_await other;
}

LEAT_TEST("a body that cancels its own scope goes on until it waits") {
    std::string log;
    const auto value = co_await with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<int> {
        scope.cancel();
        log += "running";
        co_await leat::yield();
        log += " not reached";
        co_return 1;
    });
    CHECK(!value.has_value());
    CHECK(log == "running");
}

LEAT_TEST("a body that completes gives its value although its scope was cancelled") {
    const auto value = co_await with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<int> {
        scope.cancel();
        co_return 1;
    });
    CHECK(value == 1);
}

VIRTUAL_TEST("a deadline moves while the scope is waiting: later, earlier and away") {
    for (const auto& [moved, expected] :
         {std::pair{leat::duration(5s), 6s}, std::pair{leat::duration(1s), 2s},
          std::pair{leat::duration(0s), 1s}}) {
        leat::cancel_scope* shown = nullptr;
        auto mover = leat::spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            shown->set_timeout(moved);
        });
        const auto before = leat::now();
        const bool finished = co_await with_cancel_scope({.deadline = before + 3s},
                                                         [&](leat::cancel_scope& scope) -> leat::task<> {
                                                             shown = &scope;
                                                             co_await stuck();
                                                         });
        CHECK(!finished);
        CHECK(leat::now() - before == expected);
        co_await mover;
    }
    const bool finished = co_await with_cancel_scope({.deadline = leat::now() + 3s},
                                                     [&](leat::cancel_scope& scope) -> leat::task<> {
                                                         co_await leat::sleep(1s);
                                                         scope.set_deadline(leat::never);
                                                         CHECK(scope.deadline() == leat::never);
                                                         co_await leat::sleep(1h);
                                                     });
    CHECK(finished);
    CHECK(leat::current_scheduler().alarms().empty());
}

VIRTUAL_TEST("a deadline that has passed cannot be undone") {
    const bool finished = co_await with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        scope.set_deadline(leat::now());
        CHECK(scope.reason() == leat::cancel_reason::deadline);
        scope.set_deadline(leat::never);
        scope.cancel();
        CHECK(scope.reason() == leat::cancel_reason::deadline);
        co_await leat::yield();
    });
    CHECK(!finished);
}

VIRTUAL_TEST("cancelled from outside, a scope does not return") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        (void)co_await with_cancel_scope([&](leat::cancel_scope&) -> leat::task<> { co_await stuck(); });
        log += "not reached";
    });
    CHECK(!finished);
    CHECK(log.empty());
}

VIRTUAL_TEST("a shielded scope is cancelled by its own request and not from outside") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        const auto options = leat::cancel_scope_options{.deadline = leat::now() + 3s, .shield = true};
        const bool inner =
            co_await with_cancel_scope(options, [&](leat::cancel_scope& scope) -> leat::task<> {
                co_await leat::sleep(2s);
                CHECK(!scope.cancelled());
                log += "held ";
                co_await stuck();
            });
        log += inner ? "finished " : "cancelled ";
        co_await leat::yield();
        log += "not reached";
    });
    CHECK(!finished);
    CHECK(log == "held cancelled ");
}

LEAT_TEST("a shield gives what it protects, with its value and its error") {
    const int value = co_await leat::shield([]() -> leat::task<int> { co_return 3; });
    CHECK(value == 3);
    std::string thrown;
    try {
        co_await leat::shield([]() -> leat::task<> {
            co_await leat::yield();
            throw std::runtime_error("from inside");
        });
    } catch (const std::runtime_error& error) {
        thrown = error.what();
    }
    CHECK(thrown == "from inside");
}

VIRTUAL_TEST(
    "a shielded yield lets the others run in a cancelled task, which then goes on to its next wait") {
    std::string log;
    const bool finished = co_await leat::move_on_after(0s, [&]() -> leat::task<> {
        auto other = leat::spawn([&]() -> leat::task<> {
            log += "other ";
            co_return;
        });
        co_await leat::shield(leat::yield());
        log += "went on ";
        co_await leat::yield();
        log += "not reached";
    });
    CHECK(!finished);
    CHECK(log == "other went on ");
}
