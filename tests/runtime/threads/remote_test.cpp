// SPDX-License-Identifier: MIT
// remote: how other threads reach a scheduler.
#include <leat/core/inbox.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <atomic>
#include <memory>
#include <numeric>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using leat::stuck;

LEAT_TEST("a post from another thread wakes a scheduler that has nothing else to do", on(kernel)) {
    leat::handle<> sleeper = leat::spawn(stuck);
    std::thread poster([remote = leat::current_scheduler().remote(), &sleeper] {
        CHECK(remote.post([&sleeper] { sleeper.cancel(); }));
    });
    co_await sleeper.join();
    poster.join();
}

// The end of a remote wakes the scheduler, too, so the thread keeps its own.
LEAT_TEST("each post wakes a scheduler that sleeps, while the thread keeps its remote", on(kernel)) {
    static constexpr int rounds = 1000;
    leat::event told;
    std::binary_semaphore heard(1);
    std::thread poster([&, remote = leat::current_scheduler().remote()] {
        for (int i = 0; i < rounds; ++i) {
            heard.acquire();
            remote.post([&told] { told.set(); });
        }
        heard.acquire();
    });
    for (int i = 0; i < rounds; ++i) {
        co_await told.wait();
        told.reset();
        heard.release();
    }
    poster.join();
}

LEAT_TEST("a hundred thousand posts from each of two threads all run, in the order of each thread",
          on(kernel)) {
    static constexpr int count = 100'000;  // static: g++ asks for a capture otherwise
    std::vector<std::pair<int, int>> seen;
    seen.reserve(2 * count);
    leat::handle<> sleeper = leat::spawn(stuck);
    std::vector<std::thread> posters;
    for (int name = 0; name < 2; ++name) {
        posters.emplace_back([&, name, remote = leat::current_scheduler().remote()] {
            for (int i = 0; i < count; ++i) {
                remote.post([&seen, &sleeper, name, i] {
                    seen.emplace_back(name, i);
                    if (seen.size() == 2 * count) {
                        sleeper.cancel();
                    }
                });
            }
        });
    }
    co_await sleeper.join();
    for (std::thread& each : posters) {
        each.join();
    }
    int next[2] = {0, 0};
    int mistakes = 0;
    for (const auto& [name, i] : seen) {
        mistakes += next[name]++ != i;
    }
    CHECK(mistakes == 0);
    CHECK(next[0] == count);
    CHECK(next[1] == count);
}

TEST_CASE("a post after the end of the run is refused and not run") {
    std::optional<leat::remote> kept;
    bool ran = false;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        kept = leat::current_scheduler().remote();
        co_return;
    });
    CHECK_FALSE(kept->post([&] { ran = true; }));
    CHECK_FALSE(ran);
}

TEST_CASE("each post that was accepted is run, also one that comes while the run is ending") {
    int accepted = 0;
    int ran = 0;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        struct last {
            leat::remote remote;
            int& accepted;
            int& ran;
            ~last() {
                accepted += remote.post([&ran = ran] { ++ran; });
            }
        };
        leat::spawn([&]() -> leat::task<> {
            const last local{leat::current_scheduler().remote(), accepted, ran};
            co_await stuck();
        });
        co_await leat::yield();
    });
    CHECK(accepted == 1);
    CHECK(ran == 1);
}

TEST_CASE("a post may spawn tasks, at the end of the run too") {
    int ran = 0;
    auto child = [&]() -> leat::task<> {
        ++ran;
        co_await leat::yield();
        ran += 100;
    };
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        leat::current_scheduler().remote().post([&] { leat::spawn(child); });
        co_return;
    });
    CHECK(ran == 1);
}

TEST_CASE("what a post holds may post again from its destructor") {
    struct poster {
        leat::remote remote;
        ~poster() {
            (void)remote.post([] {});
        }
    };
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        auto remote = leat::current_scheduler().remote();
        auto held = std::make_shared<poster>(poster{remote});
        (void)remote.post([held = std::move(held)] {});
        co_return;
    });
}

TEST_CASE("what was posted does not keep a task waiting, and is run in order") {
    static constexpr int posts = 20 * leat::scheduler::messages_max;
    leat::run_virtually([&](leat::virtual_kernel& kernel) -> leat::task<> {
        std::vector<int> ran;
        std::size_t ran_before = 0;
        auto sleeper = leat::spawn([&]() -> leat::task<> {
            co_await leat::sleep(1ms);
            ran_before = ran.size();
        });
        co_await leat::yield();
        const leat::remote remote = leat::current_scheduler().remote();
        for (int i = 0; i < posts; ++i) {
            remote.post([&ran, i] { ran.push_back(i); });
        }
        CHECK(remote.pending() == posts);
        kernel.advance(1h);
        co_await sleeper;
        CHECK(ran_before <= 2 * leat::scheduler::messages_max);
        CHECK(remote.pending() == posts - ran.size());
        while (remote.pending() != 0) {
            co_await leat::yield();
        }
        std::vector<int> expected(posts);
        std::iota(expected.begin(), expected.end(), 0);
        CHECK(ran == expected);
    });
}

LEAT_TEST("a thread that posts without pause keeps no task waiting", on(kernel)) {
    std::atomic<bool> over = false;
    std::atomic<bool> under_way = false;
    const auto ran = std::make_shared<std::uint64_t>(0);  // what is left is run when this frame is gone
    std::thread poster([&, remote = leat::current_scheduler().remote()] {
        while (!over) {
            remote.try_post(100'000, [ran] { ++*ran; });
            under_way = true;
        }
    });
    while (!under_way) {
        co_await leat::yield();
    }
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t before = *ran;
        const std::uint64_t turns = leat::current_scheduler().counters().turns;
        co_await leat::yield();
        CHECK(leat::current_scheduler().counters().turns - turns <= 1);
        CHECK(*ran - before <= leat::scheduler::messages_max);
    }
    over = true;
    poster.join();
}

TEST_CASE("a post beyond what the poster allows to wait is refused") {
    int ran = 0;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        const leat::remote remote = leat::current_scheduler().remote();
        for (int i = 0; i < 10; ++i) {
            const bool accepted = remote.try_post(3, [&ran] { ++ran; });
            CHECK(accepted == (i < 3));
        }
        CHECK(remote.pending() == 3);
        while (remote.pending() != 0) {
            co_await leat::yield();
        }
        CHECK(ran == 3);
        CHECK(remote.try_post(1, [&ran] { ++ran; }));
    });
}

TEST_CASE("all that was posted is run, also when it is more than a turn runs and the run ends") {
    int ran = 0;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        const leat::remote remote = leat::current_scheduler().remote();
        for (int i = 0; i < 5 * leat::scheduler::messages_max; ++i) {
            remote.post([&ran] { ++ran; });
        }
        co_return;
    });
    CHECK(ran == 5 * leat::scheduler::messages_max);
}

// Two threads: whichever of the loop and the last remote comes first, the verdict is the same.
TEST_CASE("nothing is a deadlock while a remote lives, and what is one shows when the last has gone") {
    for (int i = 0; i < 20; ++i) {
        std::binary_semaphore begun(0);
        std::thread owner;
        CHECK_THROWS_AS(leat::run([&]() -> leat::task<> {
                            owner = std::thread([&, remote = leat::current_scheduler().remote()]() mutable {
                                begun.acquire();
                                const auto gone = std::move(remote);
                            });
                            begun.release();
                            co_await stuck();
                        }),
                        leat::deadlock);
        owner.join();
    }
}

TEST_CASE("posts and the end of the run may meet: each is run or refused") {
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> accepted = 0;
        int ran = 0;
        std::thread poster;
        leat::run([&]() -> leat::task<> {
            poster = std::thread([&, remote = leat::current_scheduler().remote()] {
                while (remote.post([&] { ++ran; })) {
                    ++accepted;
                }
            });
            for (int i = 0; i < round * 10; ++i) {
                co_await leat::yield();
            }
        });
        poster.join();
        CHECK(ran == accepted);
    }
}
