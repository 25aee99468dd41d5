// SPDX-License-Identifier: MIT
// Misuse of signal sets, pipes and processes aborts and names the rule that was broken.
#include "aborts.hpp"

#include <leat/runtime.hpp>
#include <leat/system/daemon.hpp>
#include <leat/system/prefork.hpp>
#include <leat/system/process.hpp>

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <thread>

#include <unistd.h>

using leat::testing::check_aborts;
using leat::testing::check_task_aborts;

TEST_CASE("a signal_set that ends, or is asked, on another thread aborts") {
    check_aborts(
        [] {
            std::optional<leat::signal_set> signals(std::in_place, leat::signal_numbers{SIGUSR1});
            std::thread([&] { signals.reset(); }).join();
        },
        "a signal_set ends on the thread that made it");
    check_aborts(
        [] {
            leat::signal_set signals{SIGUSR1};
            std::thread([&] { leat::run([&] { return signals.next(); }); }).join();
        },
        "a signal_set is asked on the thread that made it");
}

TEST_CASE("two tasks that read from one pipe abort") {
    check_task_aborts(
        []() -> leat::task<> {
            auto ends = leat::make_pipe();
            std::array<char, 1> byte;
            auto first = leat::spawn([&]() { return ends.first.recv(byte); });
            co_await leat::yield();
            (void)co_await ends.first.recv(byte);
        },
        "two tasks use one end of a pipe at once");
}

TEST_CASE("using an end of a pipe that has been moved from aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto ends = leat::make_pipe();
            const leat::pipe_writer owner = std::move(ends.second);
            co_await ends.second.send_all("x");
        },
        "the end of a pipe was moved from");
}

TEST_CASE("asking for a stream of a child that is no pipe aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::process child = leat::process::spawn({"true"});
            child.input().close();
            co_return;
        },
        "this stream of the child was redirected to a pipe");
}

TEST_CASE("using a process that has been moved from, or none, aborts") {
    check_aborts([] { (void)leat::process().id(); }, "the process was moved from, or never started");
    check_aborts([] { (void)leat::process().wait(); }, "the process was moved from, or never started");
    check_aborts([] { (void)leat::process().stop({}); }, "the process was moved from, or never started");
}

TEST_CASE("redirecting the output to itself aborts") {
    check_aborts([] { (void)leat::process::spawn({"true"}, {.output = leat::redirect::output}); },
                 "only the errors of a child go where its output goes");
}

TEST_CASE("a daemon that is started inside a run, or beside a thread, aborts") {
    const auto start = [] {
        leat::daemon service({.pid_file = "/nowhere/pid"});
        service.start([] { return 0; });
    };
    check_task_aborts(
        [start]() -> leat::task<> {
            start();
            co_return;
        },
        "a process is not forked inside run()");
    check_aborts(
        [start] {
            const std::jthread beside([] { ::pause(); });
            start();
        },
        "a process is forked before it starts threads");
}

TEST_CASE("prefork inside a run aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            leat::prefork(1, [](unsigned) -> leat::task<> { co_return; });
            co_return;
        },
        "a process is not forked inside run()");
}
