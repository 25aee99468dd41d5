// SPDX-License-Identifier: MIT
// Every signal that there is, in a program with threads of the library: it is delivered, or refused when the
// set is made. None ends the program because a thread of the library would let it.
#include <leat/system/signals.hpp>

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/threads.hpp>

#include <functional>
#include <latch>
#include <set>
#include <stdexcept>

#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

using leat::testing::run_in_child;

namespace {

constexpr int delivered = 10;
constexpr int other_delivered = 11;
constexpr int refused = 12;

const std::set<int> never_waited_for{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                     SIGTRAP, SIGSYS,  SIGPROF, SIGPIPE, 32,     33};

// Sends `number` to the process, and sees what comes.
leat::task<int> sent_and_awaited(leat::signal_set& signals, int number) {
    ::kill(::getpid(), number);
    const int taken = co_await signals.next();
    co_return taken == number ? delivered : other_delivered;
}

leat::task<> meet_on_a_thread(std::latch& all) {
    co_await leat::offload([&] { all.arrive_and_wait(); });
}

int beside_offload(int number) {
    return leat::run([=]() -> leat::task<int> {
        std::latch both(2);  // so that there are two threads, and both have begun
        auto one = leat::spawn(meet_on_a_thread, std::ref(both));
        auto other = leat::spawn(meet_on_a_thread, std::ref(both));
        co_await one;
        co_await other;
        leat::signal_set signals{number};
        const int outcome = co_await sent_and_awaited(signals, number);
        co_return outcome;
    });
}

int among_workers(int number) {
    int outcome = 0;
    std::latch ready(3);
    leat::run_workers(3, [&](unsigned index) -> leat::task<> {
        if (index == 0) {
            leat::signal_set signals{number};
            ready.arrive_and_wait();
            outcome = co_await sent_and_awaited(signals, number);
        } else {
            ready.arrive_and_wait();
        }
    });
    return outcome;
}

// With a watch thread, a thread of its own.
int beside_a_watch_thread(int number) {
    return leat::run(
        [=]() -> leat::task<int> {
            leat::signal_set signals{number};
            const int outcome = co_await sent_and_awaited(signals, number);
            co_return outcome;
        },
        {.watch_limit = leat::usual_watch_limit});
}

void each_signal_is_delivered_or_refused(int (*program)(int)) {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    for (int number = 1; number <= leat::signal_numbers::most; ++number) {
        const bool never = never_waited_for.contains(number);
        const auto ended = run_in_child([=] {
            ::signal(number, SIG_DFL);
            try {
                (void)leat::signal_numbers{number};
            } catch (const std::invalid_argument&) {
                return refused;
            }
            return program(number);
        });
        CHECK_MESSAGE(ended.status == (never ? refused : delivered),
                      number << " gives status " << ended.status << ", signal " << ended.signal << ": "
                             << ended.errors);
    }
}

}  // namespace

TEST_CASE("each signal is delivered or refused where threads of offload are") {
    each_signal_is_delivered_or_refused(beside_offload);
}

TEST_CASE("each signal is delivered or refused where threads of workers are") {
    each_signal_is_delivered_or_refused(among_workers);
}

TEST_CASE("each signal is delivered or refused where a watch thread is") {
    each_signal_is_delivered_or_refused(beside_a_watch_thread);
}
