// SPDX-License-Identifier: MIT
// run_options.dump_signal: a signal makes a run report its tasks.
#include <leat/observe/core/dump_signal.hpp>

#include "../../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/backends.hpp>

#include <atomic>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

using leat::stuck;

namespace {

std::atomic<int> heard = 0;
std::atomic<int> started = 0;
std::mutex hearing;
std::string lines;

void hear(std::string_view line) {
    const std::lock_guard lock(hearing);
    lines += std::string(line) + "\n";
    ++heard;
}

template <typename Function>
void on_every_backend(Function function) {
    for (const leat::testing::tried_backend& each : leat::testing::backends()) {
        if (each.refused.empty()) {
            INFO("backend: ", each.name);
            heard = 0;
            lines.clear();
            function(leat::run_options{.backend = each.name, .report = hear, .dump_signal = SIGUSR2});
        }
    }
}

}  // namespace

TEST_CASE("the tasks of a busy loop are reported on the signal, a line each") {
    on_every_backend([](const leat::run_options& options) {
        leat::run(
            []() -> leat::task<> {
                leat::spawn(stuck).name("one of them");
                co_await leat::yield();
                std::raise(SIGUSR2);
                while (heard == 0) {
                    co_await leat::yield();
                }
            },
            options);
        CHECK(lines.starts_with("tasks, asked for by a signal:\ntask 1 (spawned at "));
        CHECK(lines.find("\ntask 2 \"one of them\" (spawned at ") != std::string::npos);
        CHECK(lines.find("stuck(") != std::string::npos);
        CHECK(heard == 5);  // the title, two tasks, two places
    });
}

TEST_CASE("an idle loop reports its tasks when another thread gets the signal") {
    on_every_backend([](const leat::run_options& options) {
        leat::run(
            []() -> leat::task<> {
                leat::event told;
                std::thread other([&, door = leat::current_scheduler().remote()] {
                    std::raise(SIGUSR2);
                    while (heard == 0) {
                        std::this_thread::yield();
                    }
                    door.post([&told] { told.set(); });
                });
                co_await told.wait();
                other.join();
            },
            options);
        CHECK(lines.find("waits for an event") != std::string::npos);
    });
}

TEST_CASE("a deadlock is found while a dump_signal is set") {
    on_every_backend(
        [](const leat::run_options& options) { CHECK_THROWS_AS(leat::run(stuck, options), leat::deadlock); });
}

TEST_CASE("all runs of a process answer the signal") {
    on_every_backend([](const leat::run_options& options) {
        started = 0;
        const auto spins = [&] {
            leat::run(
                []() -> leat::task<> {
                    if (++started == 2) {
                        std::raise(SIGUSR2);
                    }
                    while (heard < 6) {  // of each a title, a task and its place
                        co_await leat::yield();
                    }
                },
                options);
        };
        std::thread second(spins);
        spins();
        second.join();
        CHECK(heard == 6);
    });
}

TEST_CASE("the disposition of the signal before the run comes back after it") {
    std::signal(SIGUSR2, SIG_IGN);
    on_every_backend([](const leat::run_options& options) {
        leat::run([]() -> leat::task<> { co_return; }, options);
        struct sigaction after{};
        ::sigaction(SIGUSR2, nullptr, &after);
        CHECK((after.sa_handler == SIG_IGN));
    });
    std::signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("a dump_signal that cannot be is refused, by its number") {
    for (const int impossible : {SIGKILL, -1, 4000}) {
        leat::run_options options;
        options.dump_signal = impossible;
        CHECK_THROWS_WITH_AS(leat::run([]() -> leat::task<> { co_return; }, options),
                             ("the dump_signal cannot be " + std::to_string(impossible)).c_str(),
                             std::invalid_argument);
    }
}
