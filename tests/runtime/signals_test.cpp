// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>

LEAT_TEST("signals wait in a signal_set until they are asked for") {
    leat::signal_set signals{SIGUSR1, SIGUSR2};
    ::raise(SIGUSR2);
    const int second = co_await signals.next();
    CHECK(second == SIGUSR2);
    auto waiting = leat::spawn([&]() { return signals.next(); });
    co_await leat::yield();
    CHECK_FALSE(waiting.done());
    ::raise(SIGUSR1);
    const int first = co_await waiting;
    CHECK(first == SIGUSR1);
}

LEAT_TEST("a cancelled wait takes no signal") {
    leat::signal_set signals{SIGUSR1};
    auto waiting = leat::spawn([&]() { return signals.next(); });
    co_await leat::yield();
    waiting.cancel();
    ::raise(SIGUSR1);
    const auto& ended = co_await waiting.join();
    CHECK(ended.cancelled());
    const int number = co_await signals.next();
    CHECK(number == SIGUSR1);
}

LEAT_TEST("the end of a signal_set gives the old mask back") {
    sigset_t before;
    sigset_t after;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
    {
        const leat::signal_set signals{SIGUSR1};
    }
    ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
    CHECK(sigismember(&after, SIGUSR1) == sigismember(&before, SIGUSR1));
    CHECK_THROWS_AS(leat::signal_set{999}, std::invalid_argument);
    co_return;
}
