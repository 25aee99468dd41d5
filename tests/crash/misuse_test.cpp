// SPDX-License-Identifier: MIT
// Misuse of the library aborts and names the rule that was broken, in release builds too.
#include "aborts.hpp"

#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using leat::testing::check_aborts;
using leat::testing::check_task_aborts;

namespace {

leat::task<int> number() {
    co_await leat::yield();
    co_return 1;
}

leat::task<> waits_for_ever() {
    co_await leat::sleep_until(leat::never);
}

}  // namespace

TEST_CASE("awaiting a task twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto once = number();
            co_await std::move(once);
            co_await std::move(once);
        },
        "the task was awaited, spawned or moved from before");
}

TEST_CASE("awaiting an operation twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto once = leat::writable(STDERR_FILENO);
            co_await once;
            co_await once;
        },
        "the wait was awaited before");
}

TEST_CASE("moving an operation that has begun aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto once = leat::writable(STDERR_FILENO);
            co_await once;
            [[maybe_unused]] const auto moved = std::move(once);
        },
        "what is awaited stays where it is");
    check_task_aborts(
        []() -> leat::task<> {
            leat::channel<int> numbers;
            auto receives = numbers.receive();
            auto waits = leat::spawn(receives);
            co_await leat::yield();
            [[maybe_unused]] const auto moved = std::move(receives);
        },
        "what is awaited stays where it is");
}

TEST_CASE("spawning or running a task that was awaited, or none at all, aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto once = number();
            co_await std::move(once);
            leat::spawn(std::move(once));
        },
        "the task was spawned, awaited or moved from before");
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                group.spawn(leat::task<>());
                co_return;
            });
        },
        "the task was spawned, awaited or moved from before");
    check_task_aborts([]() -> leat::task<> { co_await leat::spawn([] { return leat::task<>(); }); },
                      "was not awaited before");
    check_aborts([] { leat::run(leat::task<>()); }, "the task was spawned, awaited or moved from before");
}

TEST_CASE("a run inside a run aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::run(number);
            co_return;
        },
        "run() is not called inside run()");
}

TEST_CASE("what needs a scheduler aborts outside of run()") {
    check_aborts([] { leat::spawn(number); }, "this is called inside run()");
    check_aborts([] { leat::spawn(number()); }, "this is called inside run()");
    check_aborts([] { (void)leat::now(); }, "this is called inside run()");
    check_aborts([] { (void)leat::sleep(1s); }, "this is called inside run()");
    check_aborts([] { (void)leat::dump_tasks(); }, "this is called inside run()");
    check_aborts([] { leat::name_this_task("nobody"); }, "a task names itself");
    check_aborts([] { (void)leat::describe_backend(); }, "this is called inside run()");
}

TEST_CASE("a second task that waits for the same descriptor and direction aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            int ends[2];
            CHECK(::pipe(ends) == 0);
            auto first = leat::spawn([&]() -> leat::task<> { co_await leat::readable(ends[0]); });
            co_await leat::yield();
            co_await leat::readable(ends[0]);
        },
        "two tasks wait to read");
}

TEST_CASE("a group with a limit of 0 aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::with_task_group({.limit = 0}, [](leat::task_group&) { return waits_for_ever(); });
        },
        "the limit of a task group is at least 1");
}

TEST_CASE("a retry without a try, or that knows no error, aborts") {
    check_task_aborts([]() -> leat::task<> { co_await leat::retry({.tries = 0}, waits_for_ever); },
                      "a retry tries at least once");
    check_task_aborts([]() -> leat::task<> { co_await leat::retry({.when = nullptr}, waits_for_ever); },
                      "a retry knows which errors are worth another try");
}

TEST_CASE("a task that awaits or joins itself aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::handle<> self;
            self = leat::spawn([&]() -> leat::task<> { co_await self; });
            co_await self.join();
        },
        "a task does not await itself");
    check_task_aborts(
        []() -> leat::task<> {
            leat::handle<> self;
            self = leat::spawn([&]() -> leat::task<> { co_await self.join(); });
            co_await self.join();
        },
        "a task does not await itself");
}

TEST_CASE("an empty handle aborts when it is asked or awaited") {
    check_aborts([] { (void)leat::handle<int>().done(); }, "this handle refers to a task");
    check_task_aborts(
        []() -> leat::task<> {
            leat::handle<int> empty;
            co_await empty;
        },
        "this handle refers to a task");
}

TEST_CASE("reading the value of a task that runs aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto running = leat::spawn(number);
            (void)running.value();
            co_return;
        },
        "the task has no result: it has not ended, or it ended without co_return");
}

TEST_CASE("taking the value of a task twice aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto child = leat::spawn(number);
            co_await child;
            co_await child;
        },
        "the result of the task was moved out before");
    check_task_aborts(
        []() -> leat::task<> {
            auto child = leat::spawn(number);
            co_await child;
            (void)child.value();
        },
        "the result of the task was moved out before");
}

TEST_CASE("a destructor that throws while its task unwinds aborts") {
    struct thrower {
        ~thrower() noexcept(false) { throw 1; }
    };
    const auto ended = leat::testing::run_in_child([] {
        leat::run([]() -> leat::task<> {
            auto victim = leat::spawn([]() -> leat::task<> {
                const thrower local;
                co_await waits_for_ever();
            });
            co_await leat::yield();
            victim.cancel();
            co_await victim.join();
        });
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors.find("does not throw while its task unwinds") != std::string::npos);
}

TEST_CASE("an error that nobody hears is one line on standard error, and the run goes on") {
    const auto ended = leat::testing::run_in_child([] {
        return leat::run([]() -> leat::task<int> {
            leat::spawn([]() -> leat::task<> {
                throw std::runtime_error("unheard");
                co_return;
            });
            co_await leat::yield();
            co_await leat::yield();
            co_return 7;
        });
    });
    CHECK(ended.status == 7);
    CHECK(ended.errors.starts_with("leat: task 2, spawned at "));
    CHECK(ended.errors.ends_with("misuse_test.cpp:" + std::to_string(__LINE__ - 11) + ", failed: unheard\n"));
}

TEST_CASE("run_main prints an error that escapes as one line and gives 1") {
    const auto known = leat::testing::run_in_child([] {
        return leat::run_main([]() -> leat::task<int> {
            throw std::runtime_error("nobody caught this");
            co_return 0;
        });
    });
    CHECK(known.status == 1);
    CHECK(known.errors == "error: nobody caught this\n");
    const auto unknown = leat::testing::run_in_child([] {
        return leat::run_main([]() -> leat::task<> {
            throw 5;
            co_return;
        });
    });
    CHECK(unknown.status == 1);
    CHECK(unknown.errors == "error: an exception of unknown type\n");
    const auto no_backend =
        leat::testing::run_in_child([] { return leat::run_main(number, {.backend = "kqueue"}); });
    CHECK(no_backend.status == 1);
    CHECK(no_backend.errors.find("kqueue") != std::string::npos);
}

TEST_CASE("saying twice that a started task is ready aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            co_await leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                co_await group.start([](leat::started<> ready) -> leat::task<> {
                    ready.set();
                    ready.set();
                    co_return;
                });
            });
        },
        "a task says once, before it ends, that it is ready");
}

TEST_CASE("saying that a started task is ready after it has ended aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            std::optional<leat::started<>> kept;
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                const auto error = co_await leat::as_outcome(group.start(
                    [](leat::started<> ready, std::optional<leat::started<>>& to) -> leat::task<> {
                        to.emplace(std::move(ready));
                        co_return;
                    },
                    std::ref(kept)));
            });
            kept->set();
        },
        "a task says once, before it ends, that it is ready");
}
