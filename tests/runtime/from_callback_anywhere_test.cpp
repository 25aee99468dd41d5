// SPDX-License-Identifier: MIT
// Callbacks that come from other threads.
#include <leat/from_callback.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using leat::callback;
using leat::from_callback_anywhere;

LEAT_TEST("a callback comes from another thread") {
    std::thread other;
    const std::string text = co_await from_callback_anywhere<std::string>([&](callback<std::string> done) {
        other = std::thread([done = std::move(done)] { done("from afar"); });
    });
    CHECK(text == "from afar");
    other.join();
}

LEAT_TEST("it may come from the own thread as well, also during the start") {
    const int at_once = co_await from_callback_anywhere<int>([](const callback<int>& done) { done(1); });
    CHECK(at_once == 1);
    co_await from_callback_anywhere([](callback<> done) {
        leat::spawn(
            [](callback<> kept) -> leat::task<> {
                co_await leat::yield();
                kept();
            },
            std::move(done));
    });
}

LEAT_TEST("a callback that another thread drops ends the wait with an error") {
    std::thread other;
    bool dropped = false;
    try {
        co_await from_callback_anywhere([&](callback<> done) {
            std::function<void()> kept = std::move(done);
            other = std::thread([kept = std::move(kept)]() mutable { kept = nullptr; });
        });
    } catch (const leat::callback_dropped&) {
        dropped = true;
    }
    CHECK(dropped);
    other.join();
}

LEAT_TEST("of threads that call at the same time one is the first, each time") {
    for (int round = 0; round < 200; ++round) {
        std::atomic<int> first = 0;
        std::atomic<int> wins = 0;
        std::vector<std::thread> threads;
        const int value = co_await from_callback_anywhere<int>([&](const callback<int>& done) {
            for (int name = 1; name <= 3; ++name) {
                threads.emplace_back([&first, &wins, done, name] {
                    if (done(name)) {
                        first = name;
                        ++wins;
                    }
                });
            }
        });
        for (std::thread& each : threads) {
            each.join();
        }
        CHECK(wins == 1);
        CHECK(first == value);
    }
}

LEAT_TEST("a cancelled wait for another thread asks it to stop, and waits until it has") {
    std::atomic<bool> stop = false;
    std::thread other;
    int written = 0;
    const auto value = co_await leat::move_on_after(
        1ms, from_callback_anywhere<int>(
                 [&](callback<int> done) {
                     other = std::thread([&stop, &written, done = std::move(done)] {
                         while (!stop) {
                             std::this_thread::yield();
                         }
                         written = 1;
                         done.fail(leat::errno_code(ECANCELED));
                     });
                 },
                 [&] { stop = true; }));
    CHECK(!value.has_value());
    CHECK(written == 1);
    other.join();
}

LEAT_TEST("a callback that is kept after its call keeps no run from its end") {
    std::vector<callback<>> kept;
    co_await from_callback_anywhere([&](const callback<>& done) {
        kept.push_back(done);
        done();
    });
    std::thread([again = kept.back()] { CHECK(!again()); }).join();
    std::string said;
    std::thread([&] {
        try {
            leat::run([&]() -> leat::task<> {
                co_await from_callback_anywhere([&](const callback<>& done) {
                    kept.push_back(done);
                    done();
                });
                co_await leat::sleep_until(leat::never);
            });
        } catch (const leat::deadlock&) {
            said = "deadlock";
        }
    }).join();
    CHECK(said == "deadlock");
}

TEST_CASE("a callback whose start threw may still come from another thread, after the run") {
    std::vector<callback<>> kept;
    CHECK_THROWS_WITH(leat::run([&]() -> leat::task<> {
                          co_await from_callback_anywhere([&](const callback<>& done) {
                              kept.push_back(done);
                              throw std::runtime_error("did not start");
                          });
                      }),
                      "did not start");
    std::thread([last = std::move(kept.back())] { CHECK(!last()); }).join();
}
