// SPDX-License-Identifier: MIT
// prefork: processes that behave badly. A worker that closes its descriptors, is traced or hangs, a
// supervisor that is killed, and as many workers as there are.
#include <leat/system/prefork.hpp>

#include "supervised.hpp"

#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;
using supervised::say;
using supervised::told;
using supervised::until_term;
using supervised::wait_for_state;
using supervised::wait_until_asleep;

namespace {

constexpr int highest = 200;  // descriptor that a test process has

void close_pipes() {
    for (int each = STDERR_FILENO + 1; each < highest; ++each) {
        struct stat about{};
        if (::fstat(each, &about) == 0 && S_ISFIFO(about.st_mode)) {
            ::close(each);
        }
    }
}

int open_descriptors() {
    int open = 0;
    for (int each = 0; each < highest; ++each) {
        open += ::fcntl(each, F_GETFD) >= 0 ? 1 : 0;
    }
    return open;
}

// Traces the process that calls it from another one, kills it, and leaves it dead for a while: until it is
// let go by its tracer, its parent cannot wait for it.
void die_traced(pid_t parent) {
    const pid_t traced = ::getpid();
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    if (::fork() == 0) {
        ::alarm(60);
        if (::ptrace(PTRACE_SEIZE, traced, nullptr, nullptr) != 0) {
            say("skipped: ptrace is refused");
        } else {
            ::kill(traced, SIGKILL);
            wait_for_state(traced, 'Z');
            wait_until_asleep(parent);
            say("the supervisor sleeps");
        }
        ::kill(parent, SIGTERM);
        ::_exit(0);
    }
    for (;;) {
        ::pause();
    }
}

// Of a worker that nobody has ended.
void tell_of_a_minute() {
    std::signal(SIGALRM, [](int) {
        say("it was left alone");
        ::_exit(1);
    });
    ::alarm(60);
}

void kill_supervisor() {
    ::raise(SIGKILL);
}

}  // namespace

TEST_CASE("a supervisor sleeps, also when a worker has closed all pipes") {
    const auto close_all = [](unsigned) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        ::alarm(60);
        close_pipes();
        wait_until_asleep(::getppid());
        say("the supervisor sleeps");
        ::kill(::getppid(), SIGTERM);
        co_await signals.next();
    };
    CHECK(told(1, close_all, {}) == "the supervisor sleeps\nall have ended\nno child\n");
}

TEST_CASE("a supervisor sleeps while a worker is dead that a tracer has not let go") {
    const auto traced = [](unsigned) -> leat::task<> {
        co_await leat::sleep(1ms);
        die_traced(::getppid());
    };
    const std::string text = told(1, traced, {.run = {.report = [](std::string_view) {}}});
    if (text.starts_with("skipped")) {
        MESSAGE(text);
    } else {
        CHECK(text == "the supervisor sleeps\nall have ended\nno child\n");
    }
}

TEST_CASE("a supervisor has no descriptor for each worker") {
    static int before = 0;
    before = open_descriptors();
    const auto count = [] {
        say(open_descriptors() - before < 10 ? "few" : "one for each");
        ::raise(SIGTERM);
    };
    const auto work = [](unsigned) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        co_await signals.next();
    };
    CHECK(told(20, work, {.on_ready = count}) == "few\nall have ended\nno child\n");
}

TEST_CASE("a worker whose supervisor is killed is told to end") {
    const auto work = [](unsigned) -> leat::task<> {
        tell_of_a_minute();
        co_await until_term("0");
    };
    CHECK(told(1, work, {.on_ready = kill_supervisor}) == "0 begins\n0 ends\n");
}

TEST_CASE("a worker that hangs does not outlive its supervisor for longer than the grace") {
    const auto hang = [](unsigned) -> leat::task<> {
        const leat::signal_set deaf{SIGTERM};
        tell_of_a_minute();
        co_await leat::sleep(1ms);
        for (;;) {
            ::pause();
        }
    };
    CHECK(told(1, hang, {.grace = 1ms, .on_ready = kill_supervisor}) == "");
}

TEST_CASE("a worker that has given up its rights is told of the end of its supervisor") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root can change the user");
        return;
    }
    const auto work = [](unsigned) -> leat::task<> {
        tell_of_a_minute();
        const uid_t nobody = 65534;
        if (::setresuid(nobody, nobody, nobody) != 0) {
            say("setresuid failed");
        }
        co_await until_term("0");
    };
    CHECK(told(1, work, {.on_ready = kill_supervisor}) == "0 begins\n0 ends\n");
}

TEST_CASE("a worker that was stopped ends with its supervisor") {
    const auto stopped = [](unsigned) -> leat::task<> {
        tell_of_a_minute();
        const pid_t supervisor = ::getppid();
        const pid_t worker = ::getpid();
        if (::fork() == 0) {
            ::alarm(60);
            wait_for_state(worker, 'T');
            ::kill(supervisor, SIGKILL);
            ::_exit(0);
        }
        ::raise(SIGSTOP);
        co_await leat::sleep(1h);
    };
    CHECK(told(1, stopped, {.grace = 1ms}) == "");
}

TEST_CASE("a signal to the process group of the supervisor does not reach the workers") {
    const auto look = [](unsigned) -> leat::task<> {
        say(::getpgid(0) == ::getpgid(::getppid()) ? "the same group" : "another group");
        co_await until_term("0");
    };
    CHECK(told(1, look, {.on_ready = supervised::stop_supervisor}) ==
          "another group\n0 begins\n0 ends\nall have ended\nno child\n");
}
