// SPDX-License-Identifier: MIT
// What the line of a failed check() says of the place: of the task, and of the coroutine of the user in it.
#include "child_process.hpp"

#include <leat/check.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>

#include <csignal>
#include <source_location>
#include <string>
#include <thread>

#include <doctest/doctest.h>

namespace {

void fail() {
    leat::check(false, "planted");
}

leat::task<> nothing() {
    co_return;
}

leat::task<> fails_at_once() {
    fail();
    co_return;
}

struct fails_when_it_dies {
    fails_when_it_dies() noexcept = default;
    fails_when_it_dies(const fails_when_it_dies&) = delete;
    fails_when_it_dies& operator=(const fails_when_it_dies&) = delete;
    ~fails_when_it_dies() { fail(); }
};

// That line of this file.
std::string place(unsigned line) {
    return std::string(std::source_location::current().file_name()) + ":" + std::to_string(line);
}

// `program` aborts, and this is the end of the one line that it writes.
template <typename Program>
void check_line_ends(Program program, const std::string& expected) {
    const auto ended = leat::testing::run_in_child(program);
    INFO("it wrote: ", ended.errors);
    INFO("expected: ", expected);
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors.starts_with("leat: "));
    CHECK(ended.errors.ends_with(expected + "\n"));
    CHECK(ended.errors.find('\n') == ended.errors.size() - 1);
}

template <typename Body>
void check_task_line_ends(Body body, const std::string& expected) {
    check_line_ends([&] { leat::run(body); }, expected);
}

}  // namespace

TEST_CASE("a failed check in a task tells its name, who spawned it, and the co_await that it has come to") {
    constexpr unsigned line = __LINE__;
    check_task_line_ends(
        []() -> leat::task<> {
            const auto ann = leat::spawn([]() -> leat::task<> {
                co_await leat::yield();
                fail();
            });
            ann.name("ann");
            co_await leat::yield();
        },
        ": planted; in task 2 \"ann\" spawned at " + place(line + 3) + ", at or after " + place(line + 4));
    check_task_line_ends(
        []() -> leat::task<> {
            leat::event event;
            const auto bob = leat::spawn([&]() -> leat::task<> {
                auto waits = event.wait();
                event.set();
                co_await waits;
                co_await waits;
            });
            co_await leat::yield();
        },
        ": the wait was awaited before; in task 2 spawned at " + place(line + 14) + ", at or after " +
            place(line + 18));
}

TEST_CASE("a coroutine that has not come to a co_await fails where it is awaited") {
    constexpr unsigned line = __LINE__;
    check_task_line_ends(
        []() -> leat::task<> {
            const auto child = leat::spawn([]() -> leat::task<> {
                co_await nothing();
                co_await fails_at_once();
            });
            co_await leat::yield();
        },
        ": planted; in task 2 spawned at " + place(line + 3) + ", at " + place(line + 5));
}

TEST_CASE("a coroutine of the library fails where the user awaits it") {
    constexpr unsigned line = __LINE__;
    check_task_line_ends(
        []() -> leat::task<> {
            auto [near, far] = leat::testing::memory_stream::pair();
            const auto recv = [&from = far]() -> leat::task<> {
                char text[4];
                (void)co_await from.recv(text);
            };
            const auto first = leat::spawn(recv);
            const auto second = leat::spawn(recv);
            co_await leat::yield();
            co_await leat::yield();
        },
        ": two tasks receive from one stream at once; in task 3 spawned at " + place(line + 9) + ", at " +
            place(line + 6));
}

TEST_CASE("a task that fails before its first co_await, or when it has ended, tells who spawned it") {
    constexpr unsigned line = __LINE__;
    check_task_line_ends(
        []() -> leat::task<> {
            const auto child = leat::spawn(fails_at_once);
            co_await leat::yield();
        },
        ": planted; in task 2 spawned at " + place(line + 3));
    // By the callable that was to give its coroutine.
    check_task_line_ends(
        []() -> leat::task<> {
            const auto child = leat::spawn([] {
                fail();
                return nothing();
            });
            co_await leat::yield();
        },
        ": planted; in task 2 spawned at " + place(line + 10));
    check_task_line_ends(
        []() -> leat::task<> {
            auto child = leat::spawn(leat::yield);
            child.on_done([](const leat::outcome<void>&) { fail(); });
            co_await leat::yield();
            co_await leat::yield();
        },
        ": planted; in task 2 spawned at " + place(line + 19));
}

TEST_CASE("a coroutine that is destroyed because its task was cancelled fails where it was awaited") {
    constexpr unsigned line = __LINE__;
    check_task_line_ends(
        []() -> leat::task<> {
            const auto inner = []() -> leat::task<> {
                const fails_when_it_dies local;
                co_await leat::sleep_until(leat::never);
            };
            auto child = leat::spawn([&]() -> leat::task<> { co_await inner(); });
            co_await leat::yield();
            child.cancel();
            co_await child.join();
        },
        ": planted; in task 2 spawned at " + place(line + 7) + ", at " + place(line + 7));
}

TEST_CASE("a check that fails outside of tasks tells its rule alone") {
    check_line_ends([] { (void)leat::now(); }, ": this is called inside run()");
    check_line_ends(
        [] {
            leat::run(nothing);
            fail();
        },
        ": planted");
    if (leat::testing::children_have_threads) {
        check_task_line_ends(
            []() -> leat::task<> {
                std::thread(fail).join();
                co_return;
            },
            ": planted");
    }
}

TEST_CASE("a check that fails while the place is looked for does not look again") {
    const auto ended = leat::testing::run_in_child([] {
        leat::detail::tell_place_of_failures([](std::span<char> /*text*/) noexcept -> std::size_t {
            leat::check(false, "no place");
            return 0;
        });
        fail();
    });
    CHECK(ended.signal == SIGABRT);
    const std::size_t first = ended.errors.find(": planted\nleat: ");
    CHECK(first != std::string::npos);
    CHECK(ended.errors.find("leat: ") == 0);
    CHECK(ended.errors.ends_with(": no place\n"));
}
