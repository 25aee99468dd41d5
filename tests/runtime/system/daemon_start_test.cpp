// SPDX-License-Identifier: MIT
// daemon::start: what it gives of the daemon's words, whom it stops, and what happens to a daemon while it
// starts.
#include <leat/system/daemon.hpp>

#include "../../support/folder.hpp"
#include "daemons.hpp"

#include <leat/runtime.hpp>
#include <leat/system/core/daemon_process.hpp>
#include <leat/system/notify.hpp>
#include <leat/system/prefork.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace daemons;

namespace {

void append(const std::string& path, const std::string& text) {
    const leat::fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    (void)!::write(file.get(), text.data(), text.size());
}

// How much a pipe that does not block takes, and has.
std::size_t fill(int pipe) {
    const std::array<char, 4096> block{};
    std::size_t filled = 0;
    for (ssize_t size; (size = ::write(pipe, block.data(), block.size())) > 0;) {
        filled += static_cast<std::size_t>(size);
    }
    return filled;
}
std::size_t drain(int pipe) {
    std::array<char, 4096> block;
    std::size_t drained = 0;
    for (ssize_t size; (size = ::read(pipe, block.data(), block.size())) > 0;) {
        drained += static_cast<std::size_t>(size);
    }
    return drained;
}

}  // namespace

TEST_CASE("a start gives its own daemon's words, though another writes into the same log file") {
    const leat::testing::folder folder;
    const std::string log_file = folder.path() + "/log";
    const auto fails = [&] {
        append(log_file, "words of another\n");
        return leat::run_main([]() -> leat::task<> {
            throw std::runtime_error("the mill is frozen");
            co_return;
        });
    };
    const auto works = [&] {
        append(log_file, "more of them\n");
        return until_term();
    };
    const std::string pid_file = folder.path() + "/pid";
    const std::string text = told({.pid_file = pid_file, .log_file = log_file}, [&](leat::daemon& service) {
        say(failure_of([&] { service.start(fails); }));
        say(service.start(works));
    });
    CHECK(text == "the mill is frozen\nat work\n\n");
    CHECK(text_of(log_file) == "words of another\nerror: the mill is frozen\nmore of them\nat work\n");
}

TEST_CASE("the last words of a daemon that crashes while it starts are told, and are in its log file") {
    const leat::testing::folder folder;
    const std::string log_file = folder.path() + "/log";
    const auto crashes = [] {
        say("the wheel turns");
        return ::raise(SIGKILL);
    };
    const std::string pid_file = folder.path() + "/pid";
    const std::string text = told({.pid_file = pid_file, .log_file = log_file}, [&](leat::daemon& service) {
        say(failure_of([&] { service.start(crashes); }));
    });
    CHECK(text == "the wheel turns\n");
    CHECK(text_of(log_file) == text);
}

TEST_CASE("what a worker of a daemon prints before it is ready is told by start") {
    const leat::testing::folder folder;
    const auto serves = [] {
        leat::prefork(1, [](unsigned) -> leat::task<> {
            leat::signal_set signals{SIGTERM};
            std::printf("a worker begins\n");
            co_await signals.next();
        });
        return 0;
    };
    for (const std::string& log_file : {std::string(), folder.path() + "/log"}) {
        const std::string pid_file = folder.path() + "/pid";
        const std::string text = told({.pid_file = pid_file, .log_file = log_file},
                                      [&](leat::daemon& service) { say(service.start(serves)); });
        CHECK(text == "a worker begins\n\n");
    }
    CHECK(text_of(folder.path() + "/log") == "a worker begins\n");
}

TEST_CASE("a start that is late stops its own daemon, and not another that runs by then") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const auto lets_another_run = [&] {
        ::alarm(60);
        std::filesystem::remove(pid_file);
        leat::daemon other({.pid_file = pid_file});
        other.start(until_term);
        for (;;) {
            ::pause();
        }
        return 0;
    };
    const leat::daemon_options options{.pid_file = pid_file, .start_limit = 2s, .grace = 1ms};
    const std::string text = told(options, [&](leat::daemon& service) {
        say(failure_of([&] { service.start(lets_another_run); }));
        say(words(service.status()));
    });
    CHECK(text == "it was not ready in time, and was stopped\nrunning\n");
}

TEST_CASE("a daemon whose number can be read is not killed by SIGHUP") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    // The write of the number fails, by a signal, and that is the moment.
    const auto hang_up = [](int) {
        rlimit size{};
        ::getrlimit(RLIMIT_FSIZE, &size);
        size.rlim_cur = size.rlim_max;
        ::setrlimit(RLIMIT_FSIZE, &size);
        ::raise(SIGHUP);
    };
    const std::string text = told({.pid_file = pid_file}, [&](leat::daemon& service) {
        std::signal(SIGHUP, SIG_DFL);
        std::signal(SIGXFSZ, hang_up);
        rlimit size{};
        ::getrlimit(RLIMIT_FSIZE, &size);
        size.rlim_cur = 0;
        ::setrlimit(RLIMIT_FSIZE, &size);
        const std::string failure = failure_of([&] { service.start(until_term); });
        size.rlim_cur = size.rlim_max;
        ::setrlimit(RLIMIT_FSIZE, &size);
        say(failure);
    });
    CHECK(text == "pid file " + pid_file + ": File too large\n");
}

TEST_CASE("a log file that is renamed before the daemon is ready is opened anew once it is") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string log_file = folder.path() + "/log";
    const auto program = [&] {
        std::filesystem::rename(log_file, log_file + ".1");
        ::raise(SIGHUP);
        return leat::run_main([]() -> leat::task<> {
            leat::signal_set signals{SIGTERM};
            say("before");
            leat::notify_ready();
            say("after");
            co_await signals.next();
        });
    };
    const std::string text = told({.pid_file = pid_file, .log_file = log_file},
                                  [&](leat::daemon& service) { say(service.start(program)); });
    CHECK(text == "before\n\n");
    CHECK(text_of(log_file + ".1") == "before\n");
    CHECK(text_of(log_file) == "after\n");
}

TEST_CASE("whoever has started a process is told once, though two threads tell") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: a child has no threads under this sanitizer");
        return;
    }
    const auto told_by_two = [] {
        ::alarm(60);
        int both[2];
        (void)!::pipe2(both, O_CLOEXEC | O_NONBLOCK);
        const std::size_t filled = fill(both[1]);
        ::fcntl(both[1], F_SETFL, 0);  // so who writes now has to wait
        leat::detail::become_worker_process(leat::fd(both[1]));
        std::counting_semaphore<2> ended(0);
        const auto tell = [&] {
            leat::notify_ready();
            ended.release();
        };
        std::jthread one(tell);
        std::jthread other(tell);
        ended.acquire();
        std::size_t told = drain(both[0]);
        ended.acquire();
        told += drain(both[0]);
        say(told == filled + sizeof(pid_t) ? "once" : "not once");
    };
    CHECK(leat::testing::run_in_child(told_by_two).errors == "once\n");
}
