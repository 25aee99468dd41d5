// SPDX-License-Identifier: MIT
// run_workers: schedulers on several threads, their errors and their signals.
#include <leat/threads/workers.hpp>

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/threads.hpp>

#include <atomic>
#include <csignal>
#include <latch>
#include <mutex>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

using leat::testing::run_in_child;

namespace {

leat::task<> stuck() {
    co_await leat::sleep(std::chrono::hours(1));
}

std::mutex heard_lock;
std::vector<std::string> heard;

void hear(std::string_view line) {
    const std::lock_guard lock(heard_lock);
    heard.emplace_back(line);
}

void let_thread_stacks_be(std::size_t size) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, size);
    ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
}

// Each worker copies it before its run begins. The fourth to do so leaves no room for the stack of a further
// thread, and fails.
struct fourth_copy_fails {
    fourth_copy_fails() = default;
    fourth_copy_fails(fourth_copy_fails&&) = default;
    fourth_copy_fails(const fourth_copy_fails&) {
        if (++copies == 4) {
            let_thread_stacks_be(std::size_t{1} << 60);
            throw std::runtime_error("the fourth");
        }
    }
    leat::task<> operator()(unsigned) const { return stuck(); }
    static inline std::atomic<int> copies = 0;
};

}  // namespace

TEST_CASE("each worker has a thread, a scheduler and an index of its own") {
    std::mutex lock;
    std::set<unsigned> indices;
    std::set<std::string> names;
    std::set<leat::scheduler*> loops;
    std::latch all(3);  // alive at one time: a scheduler that has ended leaves its address to the next
    leat::run_workers(3, [&](unsigned index) -> leat::task<> {
        char name[16] = {};
        ::pthread_getname_np(::pthread_self(), name, sizeof name);
        co_await leat::yield();
        all.arrive_and_wait();
        const std::lock_guard guard(lock);
        indices.insert(index);
        names.insert(name);
        loops.insert(&leat::current_scheduler());
    });
    CHECK(indices == std::set<unsigned>{0, 1, 2});
    CHECK(names == std::set<std::string>{"leat-worker-0", "leat-worker-1", "leat-worker-2"});
    CHECK(loops.size() == 3);
}

TEST_CASE("without a number there are as many worker threads as processors to use") {
    std::atomic<unsigned> count = 0;
    leat::run_workers(0, [&](unsigned) -> leat::task<> {
        ++count;
        co_return;
    });
    CHECK(count == leat::usable_processors());
}

TEST_CASE("the first error of a worker cancels the others on their threads, and is thrown") {
    std::atomic<int> unwound = 0;
    std::latch begun(3);
    struct note {
        std::atomic<int>& unwound;
        ~note() { ++unwound; }
    };
    std::string said;
    try {
        leat::run_workers(3, [&](unsigned index) -> leat::task<> {
            begun.arrive_and_wait();
            if (index == 1) {
                throw std::runtime_error("worker 1 is ill");
            }
            const note local{unwound};
            co_await stuck();
        });
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said == "worker 1 is ill");
    CHECK(unwound == 2);
}

TEST_CASE("an error before the other worker threads have begun stops them all the same") {
    for (int round = 0; round < 50; ++round) {
        CHECK_THROWS_AS(leat::run_workers(3,
                                          [](unsigned index) -> leat::task<> {
                                              if (index == 0) {
                                                  throw std::runtime_error("at once");
                                              }
                                              co_await stuck();
                                          }),
                        std::runtime_error);
    }
}

TEST_CASE("a worker thread that cannot be started stops the others, also when one of them fails") {
    pthread_attr_t usual;
    ::pthread_getattr_default_np(&usual);
    for (int round = 0; round < 20; ++round) {
        heard.clear();
        fourth_copy_fails::copies = 0;
        CHECK_THROWS_AS(leat::run_workers(1U << 20, fourth_copy_fails(), {.run = {.report = hear}}),
                        std::system_error);
        ::pthread_setattr_default_np(&usual);
        REQUIRE(heard.size() == 1);
        CHECK(heard[0].ends_with(" failed: the fourth"));
    }
    ::pthread_attr_destroy(&usual);
}

TEST_CASE("errors of further worker threads are reported, each once") {
    heard.clear();
    std::latch begun(3);
    std::string said;
    try {
        leat::run_workers(3,
                          [&](unsigned index) -> leat::task<> {
                              begun.arrive_and_wait();
                              throw std::runtime_error("error of " + std::to_string(index));
                              co_return;
                          },
                          {.run = {.report = hear}});
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said.starts_with("error of "));
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].find("failed: error of ") != std::string::npos);
    CHECK(heard[0] != heard[1]);
}

TEST_CASE("options reach each worker thread's run, and what they refuse is thrown") {
    CHECK_THROWS_AS(leat::run_workers(2, [](unsigned) -> leat::task<> { co_return; },
                                      {.run = {.backend = "abacus", .report = hear}}),
                    std::invalid_argument);
    std::atomic<int> right = 0;
    leat::run_workers(2,
                      [&](unsigned) -> leat::task<> {
                          right += leat::describe_backend().starts_with("epoll");
                          co_return;
                      },
                      {.run = {.backend = "epoll"}});
    CHECK(right == 2);
}

TEST_CASE("worker threads are pinned only when asked, and offload from them is not") {
    for (const bool pin : {false, true}) {
        std::atomic<int> pinned = 0;
        std::atomic<int> offload_pinned = 0;
        const auto one_only = [] {
            cpu_set_t set;
            ::sched_getaffinity(0, sizeof set, &set);
            return CPU_COUNT(&set) == 1;
        };
        leat::run_workers(2,
                          [&](unsigned) -> leat::task<> {
                              pinned += one_only();
                              offload_pinned += co_await leat::offload(one_only);
                          },
                          {.pin = pin});
        if (leat::usable_processors() > 1) {
            CHECK(pinned == (pin ? 2 : 0));
            CHECK(offload_pinned == 0);
        }
    }
}

TEST_CASE("a task of a worker that waits for ever on its thread is a deadlock, and stops the others") {
    CHECK_THROWS_AS(leat::run_workers(2,
                                      [](unsigned index) -> leat::task<> {
                                          if (index == 0) {
                                              leat::event never;
                                              co_await never.wait();
                                          }
                                          co_await stuck();
                                      }),
                    leat::deadlock);
}

TEST_CASE("a signal to the process reaches the signal_sets of all worker threads") {
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> heard_it = 0;
        std::latch ready(3);
        leat::run_workers(3, [&](unsigned index) -> leat::task<> {
            leat::signal_set signals{SIGTERM, SIGUSR1};
            ready.arrive_and_wait();
            if (index == 0) {
                ::kill(::getpid(), SIGTERM);
            }
            const int number = co_await signals.next();
            heard_it += number == SIGTERM;
        });
        CHECK(heard_it == 3);
    }
}

TEST_CASE("a worker thread that makes its signal_set late hears what the others have heard") {
    std::binary_semaphore taken(0);
    std::atomic<int> heard_it = 0;
    leat::run_workers(2, [&](unsigned index) -> leat::task<> {
        if (index == 1) {
            taken.acquire();
        }
        leat::signal_set signals{SIGTERM};
        if (index == 0) {
            ::kill(::getpid(), SIGTERM);
        }
        const int number = co_await signals.next();
        heard_it += number == SIGTERM;
        taken.release();
    });
    CHECK(heard_it == 2);
}

TEST_CASE("both signal_sets of a late worker hear what the others have heard on their threads") {
    std::binary_semaphore taken(0);
    std::atomic<int> heard_it = 0;
    leat::run_workers(2, [&](unsigned index) -> leat::task<> {
        if (index == 0) {
            leat::signal_set signals{SIGTERM};
            ::kill(::getpid(), SIGTERM);
            co_await signals.next();
            taken.release();
            co_return;
        }
        taken.acquire();
        leat::signal_set first{SIGTERM};
        leat::signal_set second{SIGTERM};
        const int number = co_await first.next();
        const auto same = second.try_next();
        heard_it += number == SIGTERM;
        heard_it += same.has_value() && same->number == SIGTERM;
    });
    CHECK(heard_it == 2);
}

TEST_CASE("what a worker raises on its own thread reaches all workers") {
    std::atomic<int> heard_it = 0;
    std::latch ready(2);
    leat::run_workers(2, [&](unsigned index) -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        ready.arrive_and_wait();
        if (index == 0) {
            ::raise(SIGTERM);
        }
        const int number = co_await signals.next();
        heard_it += number == SIGTERM;
    });
    CHECK(heard_it == 2);
}

TEST_CASE("a signal that no worker waits for on any thread does what it always did") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    const auto ended = run_in_child([]() -> int {
        std::signal(SIGTERM, SIG_DFL);  // doctest has a handler of its own
        std::latch ready(2);
        leat::run_workers(2, [&](unsigned index) -> leat::task<> {
            {
                const leat::signal_set for_a_while{SIGTERM};
            }
            ready.arrive_and_wait();
            if (index == 0) {
                ::kill(::getpid(), SIGTERM);
            }
            co_await stuck();
        });
        return 0;
    });
    CHECK(ended.signal == SIGTERM);
}

TEST_CASE("after run_workers the thread that called it has its signal mask again") {
    sigset_t before;
    sigset_t after;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
    leat::run_workers(2, [](unsigned) -> leat::task<> {
        const leat::signal_set signals{SIGUSR2};
        co_return;
    });
    ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
    CHECK(sigismember(&before, SIGUSR2) == 0);
    CHECK(sigismember(&after, SIGUSR2) == 0);
}
