// SPDX-License-Identifier: MIT
#include <leat/sync/semaphore.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

leat::task<> hold(leat::semaphore& semaphore, std::size_t count, char name, leat::duration length,
                  std::string& log) {
    const auto held = co_await semaphore.acquire(count);
    log += name;
    co_await leat::sleep(length);
}

}  // namespace

VIRTUAL_TEST("at most as many tasks as there are permits are inside at once") {
    leat::semaphore semaphore(3);
    int inside = 0;
    int most = 0;
    std::vector<leat::handle<>> tasks;
    for (int i = 0; i < 10; ++i) {
        tasks.push_back(leat::spawn([&]() -> leat::task<> {
            const auto held = co_await semaphore.acquire();
            most = std::max(most, ++inside);
            co_await leat::sleep(1s);
            --inside;
        }));
    }
    co_await leat::join_all(tasks);
    CHECK(most == 3);
    CHECK(semaphore.available() == 3);
}

VIRTUAL_TEST("permits go to who asked first, also when a later one asks for fewer") {
    leat::semaphore semaphore(2);
    std::string log;
    auto a = leat::spawn(hold, std::ref(semaphore), 1, 'a', 1s, std::ref(log));
    auto b = leat::spawn(hold, std::ref(semaphore), 2, 'b', 1s, std::ref(log));
    auto c = leat::spawn(hold, std::ref(semaphore), 1, 'c', 1s, std::ref(log));
    co_await leat::yield();
    CHECK(log == "a");
    CHECK(!semaphore.try_acquire().has_value());  // b is before it
    co_await leat::join_all(a, b, c);
    CHECK(log == "abc");
}

VIRTUAL_TEST("permits that come together go to all for whom there are enough, at once") {
    leat::semaphore semaphore(0);
    std::string log;
    auto a = leat::spawn(hold, std::ref(semaphore), 1, 'a', 1s, std::ref(log));
    auto b = leat::spawn(hold, std::ref(semaphore), 2, 'b', 1s, std::ref(log));
    auto c = leat::spawn(hold, std::ref(semaphore), 1, 'c', 1s, std::ref(log));
    co_await leat::yield();
    semaphore.release(3);
    co_await leat::yield();
    CHECK(log == "ab");
    co_await leat::join_all(a, b, c);
    CHECK(log == "abc");
}

VIRTUAL_TEST("when one who waits for many is cancelled, those behind it get what is there") {
    leat::semaphore semaphore(2);
    std::string log;
    auto a = leat::spawn(hold, std::ref(semaphore), 1, 'a', 1h, std::ref(log));
    auto b = leat::spawn(hold, std::ref(semaphore), 2, 'b', 1h, std::ref(log));
    auto c = leat::spawn(hold, std::ref(semaphore), 1, 'c', 1h, std::ref(log));
    co_await leat::yield();
    b.cancel();
    co_await leat::sleep(1s);
    CHECK(log == "ac");
    a.cancel();
    c.cancel();
    co_await leat::join_all(a, b, c);
    CHECK(semaphore.available() == 2);
}

VIRTUAL_TEST("a cancelled acquire has taken nothing, one that was given before the cancel gives back") {
    leat::semaphore semaphore(1);
    std::string log;
    auto held = co_await semaphore.acquire();
    auto a = leat::spawn(hold, std::ref(semaphore), 1, 'a', 1h, std::ref(log));
    auto b = leat::spawn(hold, std::ref(semaphore), 1, 'b', 1h, std::ref(log));
    co_await leat::yield();
    a.cancel();
    held.release();
    b.cancel();
    co_await leat::join_all(a, b);
    CHECK(log == "b");
    CHECK(semaphore.available() == 1);
}

LEAT_TEST("a permit is given back once, however often it is released and wherever it is moved") {
    leat::semaphore semaphore(2);
    {
        auto taken = co_await semaphore.acquire();
        auto held = std::move(taken);
        CHECK(semaphore.available() == 1);
        held.release();
        held.release();
        CHECK(semaphore.available() == 2);
        held = co_await semaphore.acquire(2);
        CHECK(semaphore.available() == 0);
        held.release();
        CHECK(semaphore.available() == 2);
    }
    CHECK(semaphore.available() == 2);
}

LEAT_TEST("permits can be kept for good, and made") {
    leat::semaphore semaphore(0);
    CHECK(!semaphore.try_acquire().has_value());
    semaphore.release(2);
    {
        auto both = semaphore.try_acquire(2);
        REQUIRE(both.has_value());
        CHECK(both->count() == 2);
        both->forget();
    }
    CHECK(semaphore.available() == 0);
    co_return;
}
