// SPDX-License-Identifier: MIT
// child_process: runs a piece of a program in a forked child, to see how it dies and what it says.
#pragma once

#include "../support/sanitizers.hpp"

#include <leat/fd.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leat::testing {

// Whether a child may start threads though its parent has some: ThreadSanitizer does not have it.
inline constexpr bool children_have_threads = !thread_sanitized;

struct child_end {
    int status;          // exit status, or -1 when a signal ended it
    int signal;          // that signal, or 0
    std::string errors;  // what it wrote to standard error
};

namespace detail {

// An exception ends here: it would unwind into a second copy of the test run.
template <std::invocable Program>
int exit_status_of(Program& program) noexcept {
    try {
        if constexpr (std::same_as<decltype(program()), int>) {
            return program();
        } else {
            program();
            return 0;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "the child threw: %s\n", error.what());
        return 99;
    }
}

}  // namespace detail

// `program` gives the exit status, or void for 0; 99 when it throws.
template <std::invocable Program>
child_end run_in_child(Program program) {
    int both[2];
    REQUIRE(::pipe(both) == 0);
    (void)std::fflush(nullptr);  // else a child that flushes writes it again
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL);  // doctest has one of its own
        ::dup2(both[1], STDERR_FILENO);
        ::_exit(detail::exit_status_of(program));
    }
    ::close(both[1]);
    const fd output(both[0]);
    std::string errors;
    char block[4096];
    for (ssize_t size; (size = ::read(output.get(), block, sizeof block)) > 0;) {
        errors.append(block, static_cast<std::size_t>(size));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const bool killed = WIFSIGNALED(status);
    return {killed ? -1 : WEXITSTATUS(status), killed ? WTERMSIG(status) : 0, errors};
}

}  // namespace leat::testing
