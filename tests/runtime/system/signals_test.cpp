// SPDX-License-Identifier: MIT
#include <leat/system/signals.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/time.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

bool blocked(int number) {
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return sigismember(&now, number) == 1;
}

void send_value(int number, int value) {
    sigval with{};
    with.sival_int = value;
    REQUIRE(::sigqueue(::getpid(), number, with) == 0);
}

// What making a set of `number` says.
std::string refusal(int number) {
    try {
        const leat::signal_set made{number};
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "none";
}

}  // namespace

LEAT_TEST("signals wait in a signal_set until they are asked for", on(kernel)) {
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

LEAT_TEST("a cancelled wait takes no signal", on(kernel)) {
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

LEAT_TEST("a signal tells who sent it, as whom, why and with what value", on(kernel)) {
    leat::signal_set signals{SIGUSR1};
    send_value(SIGUSR1, 42);
    const leat::signal_info told = co_await signals.next_info();
    CHECK(told.number == SIGUSR1);
    CHECK(told.code == SI_QUEUE);
    CHECK(told.process == ::getpid());
    CHECK(told.user == ::getuid());
    CHECK(told.value == 42);
}

LEAT_TEST("real-time signals queue in order, others of one number count as one", on(kernel)) {
    leat::signal_set signals{SIGUSR1, SIGRTMIN};
    ::raise(SIGUSR1);
    ::raise(SIGUSR1);
    for (int value = 1; value <= 3; ++value) {
        send_value(SIGRTMIN, value);
    }
    const int first = co_await signals.next();
    CHECK(first == SIGUSR1);
    for (int value = 1; value <= 3; ++value) {
        const leat::signal_info told = co_await signals.next_info();
        CHECK(told.number == SIGRTMIN);
        CHECK(told.value == value);
    }
    CHECK_FALSE(signals.try_next().has_value());
}

LEAT_TEST("try_next gives a signal that has come, and does not wait for one", on(kernel)) {
    leat::signal_set signals{SIGUSR1};
    CHECK_FALSE(signals.try_next().has_value());
    ::raise(SIGUSR1);
    const auto told = signals.try_next();
    REQUIRE(told.has_value());
    CHECK(told->number == SIGUSR1);
    co_return;
}

LEAT_TEST("each of several tasks that wait on one set gets a signal, in the order in which they came",
          on(kernel)) {
    leat::signal_set signals{SIGUSR1, SIGUSR2};
    auto cancelled = leat::spawn([&]() { return signals.next(); });
    auto first = leat::spawn([&]() { return signals.next(); });
    auto second = leat::spawn([&]() { return signals.next(); });
    co_await leat::yield();
    cancelled.cancel();
    ::raise(SIGUSR2);
    const int one = co_await first;
    CHECK(one == SIGUSR2);
    CHECK_FALSE(second.done());
    ::raise(SIGUSR1);
    const int other = co_await second;
    CHECK(other == SIGUSR1);
}

LEAT_TEST("every set on a thread that asks for a signal gets it, waiting or not", on(kernel)) {
    leat::signal_set waited{SIGUSR1};
    leat::signal_set also_waited{SIGUSR1, SIGUSR2};
    leat::signal_set later{SIGUSR1};
    leat::signal_set other{SIGUSR2};
    auto one = leat::spawn([&]() { return waited.next(); });
    auto two = leat::spawn([&]() { return also_waited.next(); });
    co_await leat::yield();
    ::raise(SIGUSR1);
    const int first = co_await one;
    const int second = co_await two;
    const int third = co_await later.next();
    CHECK(first == SIGUSR1);
    CHECK(second == SIGUSR1);
    CHECK(third == SIGUSR1);
    CHECK_FALSE(other.try_next().has_value());
    CHECK_FALSE(waited.try_next().has_value());
    CHECK_FALSE(also_waited.try_next().has_value());
}

LEAT_TEST("a wait for a signal that another set has taken from under it ends with the copy", on(kernel)) {
    leat::signal_set waited{SIGUSR1};
    leat::signal_set taking{SIGUSR1};
    auto waiting = leat::spawn([&]() { return waited.next_info(); });
    co_await leat::yield();
    send_value(SIGUSR1, 5);
    const auto taken = taking.try_next();
    REQUIRE(taken.has_value());
    const leat::signal_info copy = co_await waiting;
    CHECK(copy.value == 5);
    CHECK(copy.process == ::getpid());
}

LEAT_TEST("a set may go while its task is being woken", on(kernel)) {
    std::optional<leat::signal_set> waited;
    waited.emplace(leat::signal_numbers{SIGUSR1});
    leat::signal_set taking{SIGUSR1};
    auto waiting = leat::spawn([&]() { return waited->next(); });
    co_await leat::yield();
    ::raise(SIGUSR1);
    CHECK(taking.try_next().has_value());
    waiting.cancel();
    const auto& ended = co_await waiting.join();
    CHECK(ended.cancelled());
    waited.reset();
    co_await leat::sleep(1ns);
    CHECK_FALSE(taking.try_next().has_value());
}

LEAT_TEST("a wake-up that comes late ends no later wait", on(kernel)) {
    leat::signal_set waited{SIGUSR1};
    leat::signal_set taking{SIGUSR1};
    auto first = leat::spawn([&]() { return waited.next(); });
    co_await leat::yield();
    ::raise(SIGUSR1);
    CHECK(taking.try_next().has_value());
    CHECK(waited.try_next().has_value());
    first.cancel();
    co_await first.join();
    auto second = leat::spawn([&]() { return waited.next(); });
    co_await leat::sleep(1ns);
    co_await leat::sleep(1ns);
    CHECK_FALSE(second.done());
    ::raise(SIGUSR1);
    CHECK(taking.try_next().has_value());
    const int number = co_await second;
    CHECK(number == SIGUSR1);
}

LEAT_TEST("copies for a set that is not asked count as one, but for real-time signals", on(kernel)) {
    leat::signal_set idle{SIGUSR1, SIGRTMIN};
    leat::signal_set busy{SIGUSR1, SIGRTMIN};
    for (int i = 0; i < 3; ++i) {
        ::raise(SIGUSR1);
        CHECK(busy.try_next().has_value());
        send_value(SIGRTMIN, i);
        CHECK(busy.try_next().has_value());
    }
    int usual = 0;
    int real_time = 0;
    while (const auto told = idle.try_next()) {
        ++(told->number == SIGUSR1 ? usual : real_time);
    }
    CHECK(usual == 1);
    CHECK(real_time == 3);
    co_return;
}

LEAT_TEST("the end of a set unblocks no signal of another, nor one that was blocked before", on(kernel)) {
    REQUIRE_FALSE(blocked(SIGUSR1));
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &mine, nullptr);
    std::optional<leat::signal_set> first(std::in_place, leat::signal_numbers{SIGUSR1, SIGHUP});
    std::optional<leat::signal_set> second(std::in_place, leat::signal_numbers{SIGUSR1, SIGUSR2});
    first.reset();
    CHECK(blocked(SIGUSR1));
    CHECK_FALSE(blocked(SIGHUP));
    ::raise(SIGUSR1);
    const int number = co_await second->next();
    CHECK(number == SIGUSR1);
    second.reset();
    CHECK_FALSE(blocked(SIGUSR1));
    CHECK(blocked(SIGUSR2));
    ::pthread_sigmask(SIG_UNBLOCK, &mine, nullptr);
}

LEAT_TEST("a signal to the process reaches the sets of all threads", on(kernel)) {
    leat::signal_set here{SIGUSR1};
    int there[2] = {};
    const std::string described = leat::describe_backend();
    const std::string name = described.substr(0, described.find(' '));
    std::latch made{2};
    const auto run_there = [&](int& told) {
        leat::run(
            [&]() -> leat::task<> {
                leat::signal_set signals{SIGUSR1};
                made.count_down();
                told = co_await signals.next();
            },
            {.backend = name});
    };
    std::thread one([&] { run_there(there[0]); });
    std::thread two([&] { run_there(there[1]); });
    made.wait();
    ::kill(::getpid(), SIGUSR1);
    const int told = co_await here.next();
    one.join();
    two.join();
    CHECK(told == SIGUSR1);
    CHECK(there[0] == SIGUSR1);
    CHECK(there[1] == SIGUSR1);
}

LEAT_TEST("while a task waits for a signal, run() sees no deadlock", on(kernel)) {
    leat::signal_set signals{SIGALRM};
    const itimerval soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 1000}};
    REQUIRE(::setitimer(ITIMER_REAL, &soon, nullptr) == 0);
    const int number = co_await signals.next();
    CHECK(number == SIGALRM);
}

TEST_CASE("the signals that a process ignores are none of those that it stops on") {
    const auto before = ::signal(SIGUSR2, SIG_IGN);
    const leat::signal_numbers heeded = leat::not_ignored({SIGUSR1, SIGUSR2, SIGRTMIN});
    ::signal(SIGUSR2, before);
    CHECK(heeded.contains(SIGUSR1));
    CHECK(heeded.contains(SIGRTMIN));
    CHECK_FALSE(heeded.contains(SIGUSR2));
    CHECK(leat::not_ignored({SIGUSR2}).contains(SIGUSR2));
    CHECK(leat::not_ignored({}).empty());
}

TEST_CASE("what cannot be waited for is refused by name") {
    CHECK(refusal(SIGKILL) == "SIGKILL cannot be waited for");
    CHECK(refusal(SIGSTOP) == "SIGSTOP cannot be waited for");
    CHECK(refusal(SIGSEGV) == "SIGSEGV cannot be waited for");
    CHECK(refusal(SIGPIPE) == "SIGPIPE cannot be waited for");
    CHECK(refusal(0) == "there is no signal 0 to wait for");
    CHECK(refusal(33) == "there is no signal 33 to wait for");
    CHECK(refusal(999) == "there is no signal 999 to wait for");
    CHECK(refusal(SIGRTMAX) == "none");
}
