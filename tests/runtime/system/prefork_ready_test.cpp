// SPDX-License-Identifier: MIT
// prefork: when a worker is ready, what happens to one that never is, and signals that come while workers
// start.
#include <leat/system/prefork.hpp>

#include "../../support/environment.hpp"
#include "notify_socket.hpp"
#include "supervised.hpp"

#include <leat/runtime.hpp>
#include <leat/system/notify.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <regex>
#include <string>
#include <string_view>

#include <unistd.h>

using namespace std::chrono_literals;
using supervised::say;
using supervised::stop_supervisor;
using supervised::told;
using supervised::until_term;

namespace {

leat::task<> notify_and_serve() {
    leat::signal_set signals{SIGTERM};
    leat::notify_ready();
    co_await signals.next();
}

leat::task<> never_ready(unsigned) {
    leat::signal_set signals{SIGTERM};
    co_await signals.next();
}

}  // namespace

TEST_CASE("a worker is ready when it says so, if that is asked for") {
    const auto slow = [](unsigned) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        co_await leat::sleep(1ms);
        say("begins to serve");
        leat::notify_ready();
        co_await signals.next();
    };
    const auto tell_and_stop = [] {
        say("ready");
        ::raise(SIGTERM);
    };
    CHECK(told(1, slow, {.ready_by_notify = true, .on_ready = tell_and_stop}) ==
          "begins to serve\nready\nall have ended\nno child\n");
}

TEST_CASE("a worker that was ready and ends while others start is replaced, and the start goes on") {
    static int go[2];
    REQUIRE(::pipe(go) == 0);
    static bool again = false;
    const auto work = [](unsigned index) -> leat::task<> {
        if (index == 0 && !again) {
            leat::notify_ready();
            ::_exit(3);
        }
        if (index == 1) {
            char byte = 0;
            (void)!::read(go[0], &byte, 1);
        }
        co_await notify_and_serve();
    };
    const auto go_on = [](std::string_view line) {
        say(std::string(line.substr(line.find("has ended"))));
        again = true;
        (void)!::write(go[1], "", 1);
    };
    const std::string text = told(
        2, work,
        {.run = {.report = go_on}, .ready_by_notify = true, .first_pause = 1ms, .on_ready = stop_supervisor});
    ::close(go[0]);
    ::close(go[1]);
    CHECK(text == "has ended: exit code 3; another begins in 1 ms\nall have ended\nno child\n");
}

TEST_CASE("a first worker that is not ready in time ends prefork, which says so") {
    const std::string text = told(1, never_ready, {.start_limit = 1ms, .ready_by_notify = true});
    CHECK(
        std::regex_match(text, std::regex("worker 0, process [0-9]+, was not ready after 1 ms\nno child\n")));
}

TEST_CASE("a new worker that is not ready in time ends the rolling restart, and the old one goes on") {
    static bool broken = false;
    const auto roll = [] {
        broken = true;
        ::raise(SIGHUP);
    };
    const auto work = [](unsigned index) -> leat::task<> {
        co_await (broken ? never_ready(index) : notify_and_serve());
    };
    const auto stop = [](std::string_view line) {
        say(std::string(line.substr(line.find("was not"))));
        ::raise(SIGTERM);
    };
    const std::string text = told(
        1, work, {.run = {.report = stop}, .start_limit = 2s, .ready_by_notify = true, .on_ready = roll});
    CHECK(text ==
          "was not ready after 2 s; the rolling restart ends, the workers that are left go on\n"
          "all have ended\nno child\n");
}

TEST_CASE("a rolling restart that is asked for before all workers are ready comes when they are") {
    static int generation = 1;
    const auto count = [] { generation = 2; };
    const auto work = [](unsigned) -> leat::task<> {
        if (generation == 1) {
            ::kill(::getppid(), SIGHUP);
            supervised::wait_until_asleep(::getppid());
        } else {
            leat::spawn_after(1ms, []() -> leat::task<> {
                ::kill(::getppid(), SIGTERM);
                co_return;
            });
        }
        co_await until_term(std::to_string(generation));
    };
    const std::string text = told(1, work, {.on_ready = count});
    CHECK(text.starts_with("1 begins\n2 begins\n"));
    CHECK(text.ends_with("all have ended\nno child\n"));
}

TEST_CASE("a second signal to stop that comes at once is the same stop") {
    const auto work = [](unsigned) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        const auto before = std::chrono::steady_clock::now();
        leat::notify_ready();
        co_await signals.next();
        ::kill(::getppid(), SIGTERM);
        supervised::wait_until_asleep(::getppid());
        const bool at_once = std::chrono::steady_clock::now() - before < 500ms;  // else it counts
        say(at_once && signals.try_next().has_value() ? "told twice" : "told once");
    };
    CHECK(told(1, work, {.ready_by_notify = true, .on_ready = stop_supervisor}) ==
          "told once\nall have ended\nno child\n");
}

TEST_CASE("a second signal to stop goes to the workers as well") {
    const auto work = [](unsigned) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        leat::notify_ready();
        co_await signals.next();
        co_await leat::sleep(600ms);
        ::kill(::getppid(), SIGTERM);
        co_await signals.next();
        say("told twice");
    };
    CHECK(told(1, work, {.ready_by_notify = true, .on_ready = stop_supervisor}) ==
          "told twice\nall have ended\nno child\n");
}

TEST_CASE("a service manager hears that all are ready, and not of each worker") {
    const leat::testing::notify_socket systemd;
    const leat::testing::changed_variable where("NOTIFY_SOCKET", systemd.where());
    const auto work = [](unsigned) { return notify_and_serve(); };
    CHECK(told(2, work, {.on_ready = stop_supervisor}) == "all have ended\nno child\n");
    CHECK(systemd.heard() == "READY=1");
    CHECK(systemd.heard() == "STOPPING=1");
    CHECK(systemd.heard() == "");
}
