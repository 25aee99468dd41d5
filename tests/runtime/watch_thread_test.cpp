// SPDX-License-Identifier: MIT
// run_options.watch_limit: a task that holds the loop is named, with its stack. No test measures time: they
// hold the loop until the report has been heard.
#include <leat/watch_thread.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <atomic>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::mutex hearing;
std::vector<std::string> lines;
std::atomic<int> heard = 0;
std::atomic<int> named = 0;        // reports that name a task
std::atomic<int> still_named = 0;  // the same, of a second loop

void hear(std::string_view line) {
    const std::lock_guard lock(hearing);
    lines.emplace_back(line);
    ++heard;
    named += line.starts_with("task ") ? 1 : 0;
}

void hear_still(std::string_view line) {
    still_named += line.starts_with("task ") ? 1 : 0;
}

const leat::run_options watched{.report = hear, .watch_limit = 1ms};

void forget() {
    const std::lock_guard lock(hearing);
    lines.clear();
    heard = named = still_named = 0;
}

// Whether a line has `what` in it.
bool mentioned(const std::string& what) {
    for (const std::string& line : lines) {
        if (line.find(what) != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

// Of external linkage and not inlined, to have a name in the stack.
[[gnu::noinline]] void hold_the_loop(int until) {
    while (heard < until) {
    }
}

TEST_CASE("a task that holds the loop is reported while it does, by name, origin and stack") {
    forget();
    leat::run(
        []() -> leat::task<> {
            auto hog = leat::spawn([]() -> leat::task<> {
                hold_the_loop(2);  // the task, and something of its stack
                co_return;
            });
            hog.name("the hog");
            co_await hog;
        },
        watched);
    CHECK(lines.at(0).starts_with("task 2 \"the hog\", spawned at "));
    CHECK(mentioned("watch_thread_test.cpp:"));
    CHECK(mentioned("has held the loop for more than 1 ms in"));
    CHECK(lines.size() >= 2);
}

TEST_CASE("a step is reported once however long it is, and each later step again") {
    forget();
    std::atomic<bool> over = false;
    std::thread still([&] {  // one step, for as long as the other loop is reported
        leat::run(
            [&]() -> leat::task<> {
                while (!over || still_named == 0) {
                }
                co_return;
            },
            {.report = hear_still, .watch_limit = 1ms});
    });
    leat::run(
        []() -> leat::task<> {
            for (int i = 0; i < 20; ++i) {
                while (named <= i) {
                }
                co_await leat::yield();
            }
        },
        watched);
    over = true;
    still.join();
    CHECK(named == 20);
    CHECK(still_named == 1);
}

TEST_CASE("a loop that is between two steps is not reported") {
    forget();
    leat::detail::watch_thread waiting(1ms, hear_still);
    waiting.step_begins(7);
    waiting.step_ends();
    std::thread other([] {
        leat::run(
            []() -> leat::task<> {
                for (int i = 0; i < 20; ++i) {
                    while (named <= i) {
                    }
                    co_await leat::yield();
                }
            },
            watched);
    });
    other.join();
    CHECK(still_named == 0);
}

TEST_CASE("the disposition of SIGURG comes back, and one from elsewhere goes to its own handler") {
    static std::atomic<int> urgent;
    urgent = 0;
    std::signal(SIGURG, [](int) { ++urgent; });
    leat::run(
        []() -> leat::task<> {
            ::kill(::getpid(), SIGURG);
            while (urgent == 0) {
                co_await leat::yield();
            }
        },
        watched);
    struct sigaction after{};
    ::sigaction(SIGURG, nullptr, &after);
    CHECK(urgent == 1);
    CHECK((after.sa_handler != SIG_DFL));
    std::signal(SIGURG, SIG_DFL);
}
