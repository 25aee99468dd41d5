// SPDX-License-Identifier: MIT
// daemon: start, stop and status, and the lock on the pid file. Each case is a process of its own, because a
// process with threads does not fork, and tells what it saw line by line.
#include <leat/system/daemon.hpp>

#include "../../support/folder.hpp"
#include "daemons.hpp"

#include <leat/runtime.hpp>
#include <leat/system/notify.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace daemons;

// Asked by the leak sanitizer. A child of a process that has threads, of other tests, ends with a word of it
// that these cannot be stopped.
extern "C" int __lsan_is_turned_off() {
    return daemons::in_child ? 1 : 0;
}

TEST_CASE("a daemon is started, runs and is stopped, and its status tells") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string text = told({.pid_file = pid_file}, [&](leat::daemon& service) {
        say(words(service.status()));
        std::fprintf(stderr, "it said %s", service.start(until_term).c_str());
        say(words(service.status()));
        say(text_of(pid_file) == std::to_string(service.process()) + "\n" ? "named" : "nameless");
        say(words(service.stop()));
        say(words(service.status()));
        say(std::filesystem::exists(pid_file) ? "pid file left" : "no pid file");
        say(words(service.stop()));
    });
    CHECK(text == "stopped\nit said at work\nrunning\nnamed\nended\nstopped\nno pid file\nwas not running\n");
}

TEST_CASE("a daemon has a session, a directory, a umask and standard streams of its own") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string log_file = folder.path() + "/log";
    const pid_t session = ::getsid(0);
    const auto program = [session] {
        char buffer[8];
        const bool empty = ::read(STDIN_FILENO, buffer, sizeof buffer) == 0;
        struct sigaction term{};
        ::sigaction(SIGTERM, nullptr, &term);
        std::printf("%s in %s, umask %o, %s input, SIGTERM %s\n",
                    ::getsid(0) != ::getpid() && ::getsid(0) != session ? "alone" : "not alone",
                    std::filesystem::current_path().c_str(), ::umask(0), empty ? "empty" : "some",
                    term.sa_handler == SIG_DFL ? "kills" : "is ignored");
        return until_term();
    };
    const std::string text = told({.pid_file = pid_file, .log_file = log_file}, [&](leat::daemon& service) {
        std::signal(SIGTERM, SIG_IGN);
        ::umask(0);
        say(service.start(program));
    });
    CHECK(text == "alone in /, umask 22, empty input, SIGTERM kills\nat work\n\n");
    CHECK(text_of(log_file) + "\n" == text);
}

TEST_CASE("paths begin at the directory in which the daemon object is made") {
    const leat::testing::folder folder;
    const std::string text = leat::testing::run_in_child([&] {
                                 in_child = true;
                                 REQUIRE(::chdir(folder.path().c_str()) == 0);
                                 leat::daemon service({.pid_file = "here.pid", .log_file = "./log"});
                                 REQUIRE(::chdir("/") == 0);
                                 say(service.start(until_term));
                                 say(words(service.stop()));
                             }).errors;
    CHECK(text == "at work\n\nended\n");
    CHECK(text_of(folder.path() + "/log") == "at work\n");
}

TEST_CASE("a daemon that runs is not started again") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string text = told({.pid_file = pid_file}, [](leat::daemon& service) {
        service.start(until_term);
        const std::string number = std::to_string(service.process());
        say(failure_of([&] { service.start(until_term); }) == "it already runs, with process id " + number
                ? "refused"
                : "started twice");
        say(std::to_string(service.process()) == number ? "the same" : "another");
    });
    CHECK(text == "refused\nthe same\n");
}

TEST_CASE("a start that fails gives what the program has said, with a log file and without one") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string log_file = folder.file("log", "before\n");
    const auto fails = [] {
        return leat::run_main([]() -> leat::task<> {
            throw std::runtime_error("the mill is frozen");
            co_return;
        });
    };
    for (const std::string& log : {std::string(), log_file}) {
        const std::string text = told({.pid_file = pid_file, .log_file = log}, [&](leat::daemon& service) {
            say(failure_of([&] { service.start(fails); }));
            say(failure_of([&] { service.start([] { return 0; }); }));
            say(words(service.status()));
        });
        CHECK(text == "the mill is frozen\nit ended before it was ready, and said nothing\nstopped\n");
    }
    CHECK(text_of(log_file) == "before\nerror: the mill is frozen\n");
    const std::string text = told({.pid_file = pid_file, .log_file = "/nowhere/log"}, [&](auto& service) {
        say(failure_of([&] { service.start(until_term); }));
    });
    CHECK(text == "log file /nowhere/log: No such file or directory\n");
    const std::string nowhere = told({.pid_file = "/nowhere/pid"}, [&](leat::daemon& service) {
        say(failure_of([&] { service.start(until_term); }));
    });
    CHECK(nowhere == "pid file /nowhere/pid: No such file or directory\n");
}

TEST_CASE("a pid file that nobody has locked is stale, whosever number stands in it") {
    const leat::testing::folder folder;
    // The number of a process that must not be signalled: this one, which would die of it.
    const std::string pid_file = folder.file("pid", std::to_string(::getpid()) + "\n");
    const std::string text = told({.pid_file = pid_file}, [&](leat::daemon& service) {
        say(words(service.status()));
        say(words(service.stop()));
        say(words(service.status()));
        (void)folder.file("pid", std::to_string(::getppid()) + "\n");
        service.start(until_term);
        say(words(service.status()));
    });
    CHECK(text == "dead\nwas not running\nstopped\nrunning\n");
}

TEST_CASE("a daemon that is killed leaves a stale pid file; a child of it does not hold the lock") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string text = told({.pid_file = pid_file}, [&](leat::daemon& service) {
        int lifeline[2];  // the child ends when nobody else has the end that is written to
        (void)!::pipe2(lifeline, O_CLOEXEC);
        const leat::fd read_end(lifeline[0]);
        leat::fd write_end(lifeline[1]);
        const auto with_child = [&] {
            if (::fork() == 0) {
                write_end.reset();
                char byte;
                ::_exit(static_cast<int>(::read(read_end.get(), &byte, 1)));
            }
            return until_term();
        };
        service.start(with_child);
        const leat::fd gone(static_cast<int>(::syscall(SYS_pidfd_open, service.process(), 0)));
        ::kill(service.process(), SIGKILL);
        pollfd ended{.fd = gone.get(), .events = POLLIN, .revents = 0};
        ::poll(&ended, 1, 60'000);
        say(words(service.status()));
        service.start(until_term);
        say(words(service.status()));
    });
    CHECK(text == "dead\nrunning\n");
}

TEST_CASE("who removes a stale pid file is not taken for a daemon") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.file("pid", "1\n");
    const leat::fd file(::open(pid_file.c_str(), O_RDWR | O_CLOEXEC));
    // As remove_stale_pid_file() does.
    struct flock removal{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1, .l_pid = 0};
    REQUIRE(::fcntl(file.get(), F_SETLK, &removal) == 0);
    const std::string text = told({.pid_file = pid_file}, [&](leat::daemon& service) {
        say(words(service.status()));
        say(words(service.stop()));
    });
    CHECK(text == "dead\nwas not running\n");
}

TEST_CASE("a path of a pid file that goes up from a symbolic link is the kernel's") {
    const leat::testing::folder folder;
    std::filesystem::create_directories(folder.path() + "/deep/deeper");
    std::filesystem::create_directory_symlink(folder.path() + "/deep/deeper", folder.path() + "/link");
    const std::string text = told({.pid_file = folder.path() + "/link/../pid"}, [&](leat::daemon& service) {
        service.start(until_term);
        say(std::filesystem::exists(folder.path() + "/deep/pid") ? "beside deeper" : "elsewhere");
    });
    CHECK(text == "beside deeper\n");
}

TEST_CASE("a daemon that does not listen to SIGTERM is killed after the grace") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const auto deaf = []() -> int {
        std::signal(SIGTERM, SIG_IGN);
        ::alarm(60);
        leat::notify_ready();
        for (;;) {
            ::pause();
        }
    };
    const std::string text = told({.pid_file = pid_file, .grace = 1ms}, [&](leat::daemon& service) {
        service.start(deaf);
        say(words(service.stop()));
        say(words(service.status()));
    });
    CHECK(text == "killed\nstopped\n");
}

TEST_CASE("a daemon that is not ready in time is stopped") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const auto idle = []() -> int {
        ::alarm(60);
        for (;;) {
            ::pause();
        }
    };
    for (const leat::duration limit :
         {leat::duration(0s), leat::duration(50ms)}) {  // before it is locked, and after
        const leat::daemon_options hasty{.pid_file = pid_file, .start_limit = limit, .grace = 1ms};
        const std::string text =
            told(hasty, [&](leat::daemon& service) { say(failure_of([&] { service.start(idle); })); });
        CHECK(text == "it was not ready in time, and was stopped\n");
    }
}

TEST_CASE("at SIGHUP a daemon opens its log file again") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const std::string log_file = folder.path() + "/log";
    const auto program = [] {
        ::alarm(60);
        return leat::run_main([]() -> leat::task<> {
            leat::signal_set signals{SIGTERM};
            leat::notify_ready();
            co_await signals.next();
            std::fprintf(stderr, "end\n");
        });
    };
    const std::string text = told({.pid_file = pid_file, .log_file = log_file}, [&](leat::daemon& service) {
        service.start(program);
        std::filesystem::rename(log_file, log_file + ".1");
        ::kill(service.process(), SIGHUP);  // is handled before SIGTERM
        say(words(service.stop()));
    });
    CHECK(text == "ended\n");
    CHECK(text_of(log_file + ".1") == "");
    CHECK(text_of(log_file) == "end\n");
}

TEST_CASE("a daemon without a pid file is refused") {
    CHECK_THROWS_AS(leat::daemon({.pid_file = ""}), std::invalid_argument);
}
