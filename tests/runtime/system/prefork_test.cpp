// SPDX-License-Identifier: MIT
// prefork: a supervisor and its workers. Each case is a process of its own that is the supervisor, and tells
// what it saw, as its workers do, line by line.
#include <leat/system/prefork.hpp>

#include "../../support/on_each_backend.hpp"
#include "supervised.hpp"

#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using supervised::say;
using supervised::stop_supervisor;
using supervised::told;
using supervised::until_term;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines(1);
    for (const char each : text) {
        if (each == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += each;
        }
    }
    lines.pop_back();
    return lines;
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each worker has its index, all are told to end, and no child is left") {
    support::on_each_backend([](const std::string& backend) {
        const std::string text = told(3, [](unsigned index) { return until_term(std::to_string(index)); },
                                      {.run = {.backend = backend}, .on_ready = stop_supervisor});
        std::vector<std::string> lines = lines_of(text);
        std::ranges::sort(lines);
        CHECK(lines == std::vector<std::string>{"0 begins", "0 ends", "1 begins", "1 ends", "2 begins",
                                                "2 ends", "all have ended", "no child"});
    });
}

TEST_CASE("a first worker that fails before it is ready ends prefork with its reason") {
    const auto second_fails = [](unsigned index) -> leat::task<> {
        if (index == 1) {
            throw std::runtime_error("the wheel is broken");
        }
        co_await until_term("0");
    };
    const std::string text = told(2, second_fails, {});
    CHECK(holds(text, "error: the wheel is broken\n"));
    CHECK(holds(text, "worker 1, process "));
    CHECK(holds(text, ", has ended: exit code 1, before it was ready\nno child\n"));
    CHECK_FALSE(holds(text, "all have ended"));
}

TEST_CASE("a worker that ends again and again is replaced after longer and longer pauses") {
    static int ends = 0;
    const auto crash = [](unsigned) -> leat::task<> {
        co_await leat::sleep(1ms);
        ::_exit(3);
    };
    const auto count = [](std::string_view line) {
        say(std::string(line.substr(line.find("has ended"))));
        if (++ends == 5) {
            ::raise(SIGTERM);
        }
    };
    const std::string text =
        told(1, crash, {.run = {.report = count}, .first_pause = 1ms, .longest_pause = 4ms, .steady = 1h});
    const std::string end = "has ended: exit code 3; another begins in ";
    CHECK(text == end + "1 ms\n" + end + "2 ms\n" + end + "4 ms\n" + end + "4 ms\n" + end + "4 ms\n" +
                      "all have ended\nno child\n");
}

TEST_CASE("a worker that has lived for long is replaced at once") {
    const auto end_once = [](unsigned) -> leat::task<> { co_await leat::sleep(1ms); };
    const auto stop = [](std::string_view line) {
        say(std::string(line.substr(line.find("has ended"))));
        ::raise(SIGTERM);
    };
    const std::string text = told(1, end_once, {.run = {.report = stop}, .steady = 0s});
    CHECK(text == "has ended: exit code 0; another begins now\nall have ended\nno child\n");
}

TEST_CASE("a rolling restart begins each new worker before the old one is told to end") {
    static int generation = 1;
    const auto roll = [] {
        generation = 2;  // as the workers find it that are forked from now on
        ::raise(SIGHUP);
    };
    const auto work = [](unsigned index) -> leat::task<> {
        const bool last = generation == 2 && index == 1;
        if (last) {
            leat::spawn_after(1ms, []() -> leat::task<> {
                ::kill(::getppid(), SIGTERM);
                co_return;
            });
        }
        co_await until_term(std::to_string(generation) + "." + std::to_string(index));
    };
    const std::string text = told(2, work, {.on_ready = roll});
    CHECK(text.find("2.0 begins") < text.find("1.0 ends"));
    CHECK(text.find("2.1 begins") < text.find("1.1 ends"));
    CHECK(holds(text, "2.0 ends"));
    CHECK(holds(text, "2.1 ends"));
    CHECK(text.ends_with("all have ended\nno child\n"));
}

TEST_CASE("a rolling restart whose new worker fails leaves the old ones at work") {
    static bool broken = false;
    const auto roll = [] {
        broken = true;
        ::raise(SIGHUP);
    };
    const auto work = [](unsigned index) -> leat::task<> {
        if (broken) {
            throw std::runtime_error("the new wheel is broken");
        }
        co_await until_term(std::to_string(index));
    };
    const auto stop = [](std::string_view line) {
        say(std::string(line.substr(line.find("has ended"))));
        ::raise(SIGTERM);
    };
    const std::string text = told(1, work, {.run = {.report = stop}, .on_ready = roll});
    CHECK(text ==
          "0 begins\nerror: the new wheel is broken\nhas ended: exit code 1, before it was ready; the "
          "rolling restart ends, the workers that are left go on\n0 ends\nall have ended\nno child\n");
}

TEST_CASE("a worker that does not listen to SIGTERM is killed after the grace") {
    const auto deaf = [](unsigned) -> leat::task<> {
        std::signal(SIGTERM, SIG_IGN);
        co_await leat::sleep(1h);
    };
    const std::string text = told(1, deaf, {.grace = 1ms, .on_ready = stop_supervisor});
    INFO(text);
    CHECK(holds(text, "has not ended after 1 ms and is killed\n"));
    CHECK(holds(text, "has ended: killed by SIGKILL\nall have ended\nno child\n"));
}

TEST_CASE("workers ignore what a terminal sends to all, and what the supervisor ignored stays ignored") {
    const auto look = [](unsigned) -> leat::task<> {
        struct sigaction about{};
        for (const int number : {SIGINT, SIGHUP, SIGTERM}) {
            ::sigaction(number, nullptr, &about);
            say(std::string(::sigabbrev_np(number)) + (about.sa_handler == SIG_IGN ? " ignored" : " heeded"));
        }
        sigset_t blocked;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        say(sigismember(&blocked, SIGTERM) == 0 ? "unblocked" : "blocked");
        co_await until_term("0");
    };
    const auto hang_up_and_stop = [] {
        ::raise(SIGHUP);  // ignored: no rolling restart
        ::raise(SIGTERM);
    };
    std::signal(SIGHUP, SIG_IGN);
    const std::string text = told(1, look, {.on_ready = hang_up_and_stop});
    std::signal(SIGHUP, SIG_DFL);
    CHECK(text ==
          "INT ignored\nHUP ignored\nTERM heeded\nunblocked\n0 begins\n0 ends\nall have ended\nno child\n");
}
