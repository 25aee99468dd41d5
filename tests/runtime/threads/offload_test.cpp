// SPDX-License-Identifier: MIT
// offload: ordinary functions on other threads, and what cancelling, errors and the ends of things do to
// them.
#include <leat/threads/offload.hpp>

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

using namespace std::chrono_literals;
using leat::testing::run_in_child;

LEAT_TEST("offloaded work runs on another thread, and its result comes back to this one", on(kernel)) {
    const std::thread::id here = std::this_thread::get_id();
    const std::thread::id there = co_await leat::offload([] { return std::this_thread::get_id(); });
    CHECK(there != here);
    CHECK(std::this_thread::get_id() == here);
}

LEAT_TEST("offload gives values, nothing, references and what cannot be copied, on any thread", on(kernel)) {
    int number = 1;
    co_await leat::offload([&] { number = 2; });
    CHECK(number == 2);
    int& same = co_await leat::offload([&]() -> int& { return number; });
    CHECK(&same == &number);
    auto owner = std::make_unique<int>(7);
    auto given = co_await leat::offload([owner = std::move(owner)]() mutable { return std::move(owner); });
    CHECK(*given == 7);
}

LEAT_TEST("what offloaded work throws on its thread is thrown where it is awaited", on(kernel)) {
    std::string said;
    try {
        co_await leat::offload([]() -> int { throw std::runtime_error("no such thing"); });
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said == "no such thing");
}

LEAT_TEST("other tasks run while a thread works", on(kernel)) {
    std::binary_semaphore told(0);
    auto teller = leat::spawn([&]() -> leat::task<> {
        co_await leat::yield();
        told.release();
    });
    co_await leat::offload([&] { told.acquire(); });
    co_await teller;
}

LEAT_TEST("threads of offload have a name and take no signals but those that are for one thread",
          on(kernel)) {
    std::string name;
    sigset_t mask;
    co_await leat::offload([&] {
        char text[16] = {};
        ::pthread_getname_np(::pthread_self(), text, sizeof text);
        name = text;
        ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    });
    CHECK(name == "leat-offload");
    const std::set<int> unblocked{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                  SIGTRAP, SIGSYS,  SIGPROF, 32,     33};
    for (int number = 1; number <= leat::signal_numbers::most; ++number) {
        CHECK_MESSAGE(sigismember(&mask, number) == (unblocked.contains(number) ? 0 : 1), number);
    }
}

LEAT_TEST("a cancelled wait for work that runs on a thread ends when the work has, with its result",
          on(kernel)) {
    std::binary_semaphore begun(0);
    std::binary_semaphore told(0);
    int result = 0;
    bool went_on = false;
    auto waiting = leat::spawn([&]() -> leat::task<> {
        result = co_await leat::offload([&] {
            begun.release();
            told.acquire();
            return 5;
        });
        co_await leat::yield();
        went_on = true;
    });
    co_await leat::yield();
    begun.acquire();
    waiting.cancel();
    co_await leat::yield();
    CHECK_FALSE(waiting.done());
    told.release();
    const auto& ended = co_await waiting.join();
    CHECK(ended.cancelled());
    CHECK(result == 5);
    CHECK_FALSE(went_on);
}

LEAT_TEST("work is not begun on a thread inside a cancelled scope", on(kernel)) {
    std::atomic<bool> ran = false;
    auto nothing = co_await leat::move_on_after(0s, leat::offload([&] { ran = true; }));
    CHECK_FALSE(nothing);
    CHECK_FALSE(ran);
}

LEAT_TEST("a deadline that passes while a thread works is too late", on(kernel)) {
    std::atomic<bool> begun = false;
    std::binary_semaphore told(0);
    const auto made = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<int> {
        auto watcher = leat::spawn([&]() -> leat::task<> {
            while (!begun) {
                co_await leat::yield();
            }
            scope.set_timeout(0s);
            told.release();
        });
        const int given = co_await leat::offload([&] {
            begun = true;
            told.acquire();
            return 3;
        });
        co_return given;
    });
    CHECK(made == 3);
}

LEAT_TEST("a thousand tasks offload at once to a few threads, and each gets its own result", on(kernel)) {
    std::vector<leat::handle<int>> all;
    for (int i = 0; i < 1000; ++i) {
        all.push_back(leat::spawn([i]() -> leat::task<int> {
            const int given = co_await leat::offload([i] { return 3 * i; });
            co_return given;
        }));
    }
    int mistakes = 0;
    for (int i = 0; i < 1000; ++i) {
        const int given = co_await all[static_cast<std::size_t>(i)];
        mistakes += given != 3 * i;
    }
    CHECK(mistakes == 0);
}

LEAT_TEST("cancelling and finishing of offloaded work meet on two threads: it ran, or never will",
          on(kernel)) {
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> ran = 0;
        auto waiting = leat::spawn([&]() -> leat::task<> { co_await leat::offload([&] { ++ran; }); });
        for (int i = 0; i < round % 7; ++i) {
            co_await leat::yield();
        }
        waiting.cancel();
        const auto& ended = co_await waiting.join();
        const int before = ran;
        CHECK(before == (ended.cancelled() ? 0 : 1));
    }
}

TEST_CASE("schedulers on several threads share the pool of offload") {
    std::atomic<int> sum = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 3; ++i) {
        all.emplace_back([&] {
            leat::run([&]() -> leat::task<> {
                for (int k = 0; k < 200; ++k) {
                    sum += co_await leat::offload([] { return 1; });
                }
            });
        });
    }
    for (std::thread& each : all) {
        each.join();
    }
    CHECK(sum == 600);
}

// What needs a pool of one thread runs in a child, whose pool is new.

TEST_CASE("work waits for the one thread in the order in which it came, and can be cancelled there") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    const auto ended = run_in_child([] {
        leat::set_offload_threads(1);
        std::string order;
        bool cancelled = false;
        leat::run([&]() -> leat::task<> {
            std::binary_semaphore begun(0);
            std::binary_semaphore told(0);
            const auto note = [&order](char name) -> leat::task<> {
                co_await leat::offload([&order, name] { order += name; });
            };
            auto first = leat::spawn([&]() -> leat::task<> {
                co_await leat::offload([&] {
                    begun.release();
                    told.acquire();
                });
            });
            auto a = leat::spawn(note, 'a');
            auto b = leat::spawn(note, 'b');
            auto c = leat::spawn(note, 'c');
            auto d = leat::spawn(note, 'd');
            co_await leat::yield();
            begun.acquire();
            b.cancel();
            cancelled = (co_await b.join()).cancelled();
            told.release();
            co_await leat::join_all(first, a, c, d);
        });
        return order == "acd" && cancelled ? 0 : 1;
    });
    CHECK(ended.status == 0);
}

TEST_CASE("as much work as there are threads runs at once, on new threads and on those that wait") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    const auto ended = run_in_child([] {
        constexpr unsigned threads = 4;
        leat::set_offload_threads(threads);
        std::atomic<int> done = 0;
        leat::run([&]() -> leat::task<> {
            for (int round = 0; round < 50; ++round) {
                std::latch all_begun(threads);
                co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                    for (unsigned each = 0; each < threads; ++each) {
                        group.spawn([&]() -> leat::task<> {
                            co_await leat::offload([&] { all_begun.arrive_and_wait(); });
                            ++done;
                        });
                    }
                    co_return;
                });
            }
        });
        return done == 50 * static_cast<int>(threads) ? 0 : 1;
    });
    CHECK(ended.status == 0);
}

TEST_CASE("the end of a run takes queued work back from the threads and waits for what has begun") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    const auto ended = run_in_child([] {
        leat::set_offload_threads(1);
        bool finished = false;
        bool queued_ran = false;
        std::binary_semaphore begun(0);
        std::binary_semaphore told(0);
        struct teller {
            std::binary_semaphore& told;
            ~teller() { told.release(); }
        };
        leat::run([&]() -> leat::task<> {
            leat::spawn([&]() -> leat::task<> {
                co_await leat::offload([&] {
                    begun.release();
                    told.acquire();
                    finished = true;
                });
            });
            leat::spawn([&]() -> leat::task<> {
                const teller when_unwound{told};
                co_await leat::offload([&] { queued_ran = true; });
            });
            co_await leat::yield();
            begun.acquire();
        });
        return finished && !queued_ran ? 0 : 1;
    });
    CHECK(ended.status == 0);
}

TEST_CASE("a number of threads for offload that is none is an error that names it") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    for (const char* wrong : {"0", "many", "4x", "-1", "99999999999"}) {
        const auto ended = run_in_child([wrong] {
            ::setenv("LEAT_OFFLOAD_THREADS", wrong, 1);
            std::string said;
            leat::run([&]() -> leat::task<> {
                try {
                    co_await leat::offload([] {});
                } catch (const std::invalid_argument& error) {
                    said = error.what();
                }
            });
            const bool right =
                said == "LEAT_OFFLOAD_THREADS is \"" + std::string(wrong) + "\": use a number from 1 to 1024";
            return right ? 0 : 1;
        });
        CHECK(ended.status == 0);
    }
    const auto ended = run_in_child([] {
        ::setenv("LEAT_OFFLOAD_THREADS", "1", 1);
        leat::run([]() -> leat::task<> { co_await leat::offload([] {}); });
    });
    CHECK(ended.status == 0);
}
