// SPDX-License-Identifier: MIT
// What the steps of leat cost: leat_steps STEP COUNT does STEP COUNT times and prints the nanoseconds of CPU
// time that each took. bench/run steps runs it, and its namesakes of other runtimes.
#include "steps.hpp"

#include <leat/runtime.hpp>

#include <deque>
#include <memory>
#include <vector>

namespace {

using std::size_t;
using namespace std::chrono_literals;

leat::task<> nothing() {
    co_return;
}

leat::task<> forever(int depth) {
    if (depth > 1) {
        co_await forever(depth - 1);
    } else {
        co_await leat::sleep_until(leat::never);
    }
}

// Two tasks take turns.
leat::task<> yields(size_t count) {
    auto loop = [](size_t turns) -> leat::task<> {
        for (size_t i = 0; i < turns; ++i) {
            co_await leat::yield();
        }
    };
    auto other = leat::spawn(loop, count / 2);
    co_await leat::yield();
    steps::begin();
    co_await loop(count / 2);
    co_await other;
    steps::end(count);
}

leat::task<> spawns_and_joins(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await leat::spawn(nothing);
    }
    steps::end(count);
}

leat::task<> calls(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await nothing();
    }
    steps::end(count);
}

// A timer is started and cancelled among a million others.
leat::task<> timers(size_t count) {
    leat::timers& alarms = leat::current_scheduler().alarms();
    const auto ignore = [](leat::timer&) noexcept {};
    std::deque<leat::timer> others;
    const leat::time_point now = leat::now();
    for (size_t i = 0; i < 1'000'000; ++i) {
        alarms.arm(others.emplace_back(ignore), now + 1h + steps::scattered(i) * 1us);
    }
    leat::timer one(ignore);
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        alarms.arm(one, now + 1h + steps::scattered(i) * 1us);
        alarms.disarm(one);
    }
    steps::end(count);
    for (leat::timer& other : others) {
        alarms.disarm(other);
    }
    co_return;
}

// What a request with a deadline pays when the deadline does not pass.
leat::task<> timeouts(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await leat::timeout(1h, leat::yield());
    }
    steps::end(count);
}

leat::task<> hand_over(size_t count, size_t capacity) {
    leat::channel<size_t> channel(capacity);
    auto receiver = leat::spawn([&]() -> leat::task<> {
        while (const auto value = co_await channel.receive()) {
        }
    });
    co_await leat::yield();
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        co_await channel.send(i);
    }
    channel.close();
    co_await receiver;
    steps::end(count);
}

leat::task<> rendezvous(size_t count) {
    return hand_over(count, 0);
}

leat::task<> buffered(size_t count) {
    return hand_over(count, 128);
}

// Ten tasks want one mutex, and hold it while they let the others run.
leat::task<> mutex(size_t count) {
    leat::mutex mutex;
    std::vector<leat::handle<>> workers;
    steps::begin();
    for (int i = 0; i < 10; ++i) {
        workers.push_back(leat::spawn([&]() -> leat::task<> {
            for (size_t left = count / 10; left > 0; --left) {
                const auto guard = co_await mutex.lock();
                co_await leat::yield();
            }
        }));
    }
    co_await leat::join_all(workers);
    steps::end(count);
}

leat::task<> free_mutex(size_t count) {
    leat::mutex mutex;
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        const auto guard = co_await mutex.lock();
    }
    steps::end(count);
}

// `count` tasks that wait are cancelled, unwind and are joined.
leat::task<> cancel_at(size_t count, int depth) {
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (size_t i = 0; i < count; ++i) {
            group.spawn(forever, depth);
        }
        co_await leat::yield();
        steps::begin();
        group.cancel();
    });
    steps::end(count);
}

leat::task<> cancel(size_t count) {
    return cancel_at(count, 1);
}

leat::task<> cancel_deep(size_t count) {
    return cancel_at(count, 10);
}

}  // namespace

int main(int argc, char** argv) {
    const auto step = steps::chosen<leat::task<> (*)(size_t)>(argc, argv,
                                                              {{"yield", yields},
                                                               {"spawn", spawns_and_joins},
                                                               {"call", calls},
                                                               {"timer", timers},
                                                               {"timeout", timeouts},
                                                               {"rendezvous", rendezvous},
                                                               {"channel", buffered},
                                                               {"mutex", mutex},
                                                               {"free-mutex", free_mutex},
                                                               {"cancel", cancel},
                                                               {"cancel-deep", cancel_deep}});
    return leat::run_main([&] { return step(steps::count(argv)); }, {.backend = "epoll"});
}
