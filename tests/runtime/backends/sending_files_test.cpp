// SPDX-License-Identifier: MIT
#include <leat/backends/sending_files.hpp>

#include <leat/fd.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

bool sigpipe_is_blocked() {
    sigset_t now;
    REQUIRE(::pthread_sigmask(SIG_BLOCK, nullptr, &now) == 0);
    return ::sigismember(&now, SIGPIPE) == 1;
}

bool sigpipe_is_pending() {
    sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    return ::sigismember(&pending, SIGPIPE) == 1;
}

void change_sigpipe(int how) {
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGPIPE);
    REQUIRE(::pthread_sigmask(how, &only, nullptr) == 0);
}

}  // namespace

TEST_CASE("what is no part of a file is not in memory") {
    char name[] = "/tmp/leat-XXXXXX";
    const leat::fd made(::mkstemp(name));
    REQUIRE(::unlink(name) == 0);
    const std::string bytes(10'000, 'a');
    REQUIRE(::write(made.get(), bytes.data(), bytes.size()) == 10'000);
    CHECK(!leat::is_in_memory(made.get(), 0, 0));
    CHECK(!leat::is_in_memory(made.get(), 100'000, 10));
    CHECK(!leat::is_in_memory(made.get(), 0, 100'000));
    CHECK(!leat::is_in_memory(-1, 0, 10));
    // What was just written is, where the kernel tells it: of the whole as of its parts.
    const bool told = leat::is_in_memory(made.get(), 0, 10'000);
    CHECK(leat::is_in_memory(made.get(), 4'095, 2) == told);
    CHECK(leat::is_in_memory(made.get(), 9'999, 1) == told);
}

TEST_CASE("a SIGPIPE that is raised meanwhile is gone, and the mask is as it was") {
    REQUIRE(!sigpipe_is_blocked());
    {
        const leat::without_sigpipe quiet;
        CHECK(sigpipe_is_blocked());
        REQUIRE(::pthread_kill(::pthread_self(), SIGPIPE) == 0);
    }
    CHECK(!sigpipe_is_blocked());
    CHECK(!sigpipe_is_pending());
}

TEST_CASE("who blocks SIGPIPE keeps the one that is pending, and gets none more") {
    change_sigpipe(SIG_BLOCK);
    {
        const leat::without_sigpipe quiet;
        REQUIRE(::pthread_kill(::pthread_self(), SIGPIPE) == 0);
    }
    CHECK(sigpipe_is_blocked());
    CHECK(!sigpipe_is_pending());
    REQUIRE(::pthread_kill(::pthread_self(), SIGPIPE) == 0);
    {
        const leat::without_sigpipe quiet;
    }
    CHECK(sigpipe_is_pending());
    struct sigaction old{};
    struct sigaction ignoring{};
    ignoring.sa_handler = SIG_IGN;
    REQUIRE(::sigaction(SIGPIPE, &ignoring, &old) == 0);  // which drops it
    CHECK(!sigpipe_is_pending());
    REQUIRE(::sigaction(SIGPIPE, &old, nullptr) == 0);
    change_sigpipe(SIG_UNBLOCK);
}
