// SPDX-License-Identifier: MIT
// Processes that a fibre starts: fork, exec, system, popen, posix_spawn, wait.
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

LEAT_TEST("a forked child blocks in its calls as any process, and leaves the parent's fibres alone",
          backends::kernel) {
    const ends pair = socket_ends();
    const ends other = socket_ends();
    char byte = 0;
    auto reader = leat::spawn(leat::blocking([&] { return ::read(other.ours.get(), &byte, 1); }));
    int status = -1;
    auto parent = leat::spawn(leat::blocking([&] {
        const pid_t child = ::fork();
        if (child == 0) {
            char got = 0;
            ::close(other.ours.get());
            ::dup2(pair.ours.get(), other.ours.get());
            const bool read = ::read(pair.ours.get(), &got, 1) == 1;
            std::system("true");
            ::_exit(read && got == 'a' ? 7 : 1);
        }
        CHECK(::waitpid(child, &status, 0) == child);
    }));
    co_await let_others_run();
    CHECK(!parent.done());
    put(pair.theirs, "a");
    co_await parent;
    CHECK(exit_status(status) == 7);
    CHECK(!reader.done());
    put(other.theirs, "b");
    const auto got = co_await reader;
    CHECK(got == 1);
}

LEAT_TEST("a child of vfork may close what a fibre waits for", backends::kernel) {
    const ends other = socket_ends();
    char byte = 0;
    auto reader = leat::spawn(leat::blocking([&] { return ::read(other.ours.get(), &byte, 1); }));
    co_await let_others_run();
    const auto run_child = [&] {
        int status = -1;
        const pid_t child = ::vfork();  // NOLINT: what old programs do
        if (child == 0) {
            ::close(other.ours.get());
            ::execl("/bin/true", "true", nullptr);
            ::_exit(1);
        }
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(exit_status(status) == 0);
    };
    co_await leat::blocking(run_child);
    run_child();  // outside of a fibre, too
    co_await let_others_run();
    CHECK(!reader.done());
    put(other.theirs, "b");
    const auto got = co_await reader;
    CHECK(got == 1);
}

LEAT_TEST("exec, system, popen and posix_spawn work in a fibre", backends::kernel) {
    co_await leat::blocking([] {
        const pid_t child = ::fork();
        if (child == 0) {
            ::execl("/bin/sh", "sh", "-c", "exit 5", nullptr);
            ::_exit(1);
        }
        int status = -1;
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(exit_status(status) == 5);

        CHECK(exit_status(std::system("exit 6")) == 6);

        FILE* const output = ::popen("echo from a shell", "r");
        char line[64] = "";
        CHECK(std::fgets(line, sizeof line, output) != nullptr);
        CHECK(std::string(line) == "from a shell\n");
        CHECK(exit_status(::pclose(output)) == 0);

        pid_t spawned = -1;
        char name[] = "true";
        char* arguments[] = {name, nullptr};
        CHECK(::posix_spawnp(&spawned, name, nullptr, nullptr, arguments, environ) == 0);
        CHECK(::wait(&status) == spawned);
        CHECK(exit_status(status) == 0);
        errno = 0;
        CHECK(::wait(&status) == -1);
        CHECK(errno == ECHILD);
    });
}

LEAT_TEST("a child that stops is told to who asks for it", backends::kernel) {
    co_await leat::blocking([] {
        const pid_t child = ::fork();
        if (child == 0) {
            ::raise(SIGSTOP);
            ::_exit(3);
        }
        int status = -1;
        CHECK(::waitpid(child, &status, WUNTRACED) == child);
        CHECK(WIFSTOPPED(status));
        CHECK(::waitpid(child, &status, WNOHANG) == 0);
        ::kill(child, SIGCONT);
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(exit_status(status) == 3);
    });
}
