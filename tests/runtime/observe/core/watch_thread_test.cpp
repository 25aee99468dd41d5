// SPDX-License-Identifier: MIT
// run_options.watch_limit: a task that holds the loop is named, with its stack. No test measures time: they
// hold the loop until the report has been heard.
#include <leat/observe/core/watch_thread.hpp>

#include "../../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/threads/workers.hpp>

#include <atomic>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>

using namespace std::chrono_literals;

namespace {

std::mutex writing;
std::vector<std::string> written;
std::atomic<int> named = 0;        // reports that name a task
std::atomic<int> hog_named = 0;    // that name the second task
std::atomic<int> still_named = 0;  // the same, of a second loop

void write_down(std::string_view line) {
    const std::lock_guard lock(writing);
    written.emplace_back(line);
    hog_named += line.starts_with("task 2") ? 1 : 0;
    named += line.starts_with("task ") ? 1 : 0;
}

void hear_still(std::string_view line) {
    still_named += line.starts_with("task ") ? 1 : 0;
}

const leat::run_options watched{.report = write_down, .watch_limit = 1ms};

void forget() {
    const std::lock_guard lock(writing);
    written.clear();
    named = hog_named = still_named = 0;
}

// Whether a line has `what` in it.
bool mentioned(const std::string& what) {
    for (const std::string& line : written) {
        if (line.find(what) != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

// Of external linkage and not inlined, to have a name in the stack.
[[gnu::noinline]] void hold_the_loop() {
    while (hog_named == 0) {
    }
}

namespace {

leat::task<> run_a_hog() {
    auto hog = leat::spawn([]() -> leat::task<> {
        hold_the_loop();
        co_return;
    });
    hog.name("the hog");
    co_await hog;
}

void check_hog_is_reported() {
    CHECK(mentioned("task 2 \"the hog\", spawned at "));
    CHECK(mentioned("watch_thread_test.cpp:"));
    CHECK(mentioned("has held the loop for more than 1 ms in"));
    CHECK(mentioned("    "));  // its stack
}

}  // namespace

TEST_CASE("a task that holds the loop is reported while it does, by name, origin and stack") {
    forget();
    leat::run(run_a_hog, watched);
    check_hog_is_reported();
}

TEST_CASE("a task that holds the loop of a worker is reported so too, though workers block signals") {
    forget();
    leat::run_workers(1, [](unsigned) { return run_a_hog(); }, {.run = watched});
    check_hog_is_reported();
}

TEST_CASE("a task that holds the loop of a thread which blocks all signals is reported so too") {
    forget();
    bool blocked_after = false;
    std::thread runs([&] {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
        leat::run(run_a_hog, watched);
        sigset_t after;
        ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
        blocked_after = sigismember(&after, SIGURG) == 1;
    });
    runs.join();
    check_hog_is_reported();
    CHECK(blocked_after);
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
