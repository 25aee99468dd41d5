// SPDX-License-Identifier: MIT
#include <leat/sync/mutex.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using namespace std::chrono_literals;

namespace {

leat::task<> hold(leat::mutex& mutex, char name, leat::duration length, std::string& log) {
    const auto guard = co_await mutex.lock();
    log += name;
    co_await leat::sleep(length);
    log += name;
}

// Waits until `ready`, as a condition is used.
leat::task<> await_ready(leat::mutex& mutex, leat::condition& changed, const bool& ready, char name,
                         std::string& log) {
    auto guard = co_await mutex.lock();
    while (!ready) {
        co_await changed.wait(guard);
    }
    log += name;
}

}  // namespace

VIRTUAL_TEST("a mutex is held by one task at a time, in the order of asking") {
    leat::mutex mutex;
    std::string log;
    auto a = leat::spawn(hold, std::ref(mutex), 'a', 3s, std::ref(log));
    auto b = leat::spawn(hold, std::ref(mutex), 'b', 2s, std::ref(log));
    auto c = leat::spawn(hold, std::ref(mutex), 'c', 1s, std::ref(log));
    co_await leat::join_all(a, b, c);
    CHECK(log == "aabbcc");
    CHECK(!mutex.is_locked());
}

VIRTUAL_TEST("who unlocks and locks again at once does not overtake one who waits") {
    leat::mutex mutex;
    std::string log;
    auto first = leat::spawn([&]() -> leat::task<> {
        for (int i = 0; i < 2; ++i) {
            const auto guard = co_await mutex.lock();
            log += 'a';
            co_await leat::yield();
        }
    });
    auto second = leat::spawn(hold, std::ref(mutex), 'b', 1s, std::ref(log));
    co_await leat::join_all(first, second);
    CHECK(log == "abba");
}

LEAT_TEST("try_lock locks what is open and leaves alone what is not") {
    leat::mutex mutex;
    auto guard = mutex.try_lock();
    REQUIRE(guard.has_value());
    CHECK(!mutex.try_lock().has_value());
    guard->unlock();
    guard->unlock();
    CHECK(mutex.try_lock().has_value());
    CHECK(!mutex.is_locked());
    co_return;
}

LEAT_TEST("a guard that is moved unlocks once") {
    leat::mutex mutex;
    leat::mutex other;
    auto guard = co_await mutex.lock();
    auto moved = std::move(guard);
    CHECK(mutex.is_locked());
    moved = co_await other.lock();
    CHECK(!mutex.is_locked());
    CHECK(other.is_locked());
}

VIRTUAL_TEST("a cancelled lock was not taken, and those behind it get their turn") {
    leat::mutex mutex;
    std::string log;
    auto guard = co_await mutex.lock();
    auto b = leat::spawn(hold, std::ref(mutex), 'b', 0s, std::ref(log));
    auto c = leat::spawn(hold, std::ref(mutex), 'c', 0s, std::ref(log));
    co_await leat::yield();
    b.cancel();
    guard.unlock();
    co_await leat::join_all(b, c);
    CHECK(log == "cc");
    CHECK(!mutex.is_locked());
}

VIRTUAL_TEST("a lock that was given before the cancel is delivered, and unlocked by the unwinding") {
    leat::mutex mutex;
    std::string log;
    auto guard = co_await mutex.lock();
    auto b = leat::spawn(hold, std::ref(mutex), 'b', 1h, std::ref(log));
    co_await leat::yield();
    guard.unlock();
    b.cancel();
    co_await b.join();
    CHECK(log == "b");  // it had the lock, and its next wait was cancelled
    CHECK(!mutex.is_locked());
}

VIRTUAL_TEST("a task that is cancelled already does not lock") {
    leat::mutex mutex;
    const bool locked =
        co_await leat::move_on_after(0s, [&]() -> leat::task<> { const auto guard = co_await mutex.lock(); });
    CHECK(!locked);
    CHECK(!mutex.is_locked());
}

VIRTUAL_TEST("a condition lets others lock while it is waited for, and locks again") {
    leat::mutex mutex;
    leat::condition changed;
    bool ready = false;
    std::string log;
    auto a =
        leat::spawn(await_ready, std::ref(mutex), std::ref(changed), std::cref(ready), 'a', std::ref(log));
    auto b =
        leat::spawn(await_ready, std::ref(mutex), std::ref(changed), std::cref(ready), 'b', std::ref(log));
    co_await leat::sleep(1s);
    {
        const auto guard = co_await mutex.lock();
        changed.notify_all();
        co_await leat::sleep(1s);
        CHECK(log.empty());  // notified, but the mutex is ours
        ready = true;
    }
    co_await leat::join_all(a, b);
    CHECK(log == "ab");
    CHECK(!mutex.is_locked());
}

VIRTUAL_TEST("notify_one wakes the one that has waited longest, and none when nobody waits") {
    leat::mutex mutex;
    leat::condition changed;
    changed.notify_one();
    std::string log;
    auto wait_once = [&](char name) -> leat::task<> {
        auto guard = co_await mutex.lock();
        co_await changed.wait(guard);
        log += name;
    };
    auto a = leat::spawn(wait_once, 'a');
    auto b = leat::spawn(wait_once, 'b');
    co_await leat::sleep(1s);
    CHECK(log.empty());
    changed.notify_one();
    co_await leat::sleep(1s);
    CHECK(log == "a");
    changed.notify_one();
    co_await leat::join_all(a, b);
    CHECK(log == "ab");
}

VIRTUAL_TEST("a cancelled wait for a condition ends when it has the mutex again") {
    leat::mutex mutex;
    leat::condition changed;
    std::string log;
    struct noted {
        std::string& log;
        const leat::mutex& mutex;
        ~noted() { log += mutex.is_locked() ? "locked " : "open "; }
    };
    auto waiter = leat::spawn([&]() -> leat::task<> {
        auto guard = co_await mutex.lock();
        const noted at_the_end{log, mutex};
        co_await changed.wait(guard);
        log += "not reached ";
    });
    co_await leat::yield();
    auto ours = co_await mutex.lock();
    waiter.cancel();
    co_await leat::sleep(1s);
    CHECK(log.empty());  // not before we unlock
    CHECK(!waiter.done());
    ours.unlock();
    const auto& ended = co_await waiter.join();
    CHECK(ended.cancelled());
    CHECK(log == "locked ");
    CHECK(!mutex.is_locked());
}

LEAT_TEST("a notification that came before the cancel counts") {
    leat::mutex mutex;
    leat::condition changed;
    std::string log;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        auto guard = co_await mutex.lock();
        co_await changed.wait(guard);
        log += "notified";
        co_await leat::checkpoint();
        log += " not reached";
    });
    co_await leat::yield();
    auto ours = co_await mutex.lock();
    changed.notify_one();
    waiter.cancel();
    ours.unlock();
    const auto& ended = co_await waiter.join();
    CHECK(ended.cancelled());
    CHECK(log == "notified");
}
