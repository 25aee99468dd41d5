// SPDX-License-Identifier: MIT
// offload_detached: work on other threads that nobody waits for.
#include <leat/threads/offload.hpp>

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using leat::testing::run_in_child;

namespace {

// Ends a child after the handlers of exit() that came later, and before LeakSanitizer, which does not see
// what the threads of the parent held.
struct last_at_exit {
    ~last_at_exit() {
        if (status != 0) {
            ::_exit(status);
        }
    }
    int status = 0;
} leave_with;

std::mutex heard_lock;
std::vector<std::pair<std::string, std::thread::id>> heard;

void hear(std::string_view line) {
    const std::lock_guard lock(heard_lock);
    heard.emplace_back(line, std::this_thread::get_id());
}

std::size_t heard_so_far() {
    const std::lock_guard lock(heard_lock);
    return heard.size();
}

}  // namespace

LEAT_TEST("detached work owns its arguments and runs on another thread", on(kernel)) {
    std::string came;
    std::thread::id there;
    std::binary_semaphore done(0);
    leat::offload_detached(
        [&](const std::string& text, std::unique_ptr<int> number) {
            came = text + std::to_string(*number);
            there = std::this_thread::get_id();
            done.release();
        },
        "number ", std::make_unique<int>(4));
    co_await leat::offload([&] { done.acquire(); });
    CHECK(came == "number 4");
    CHECK(there != std::this_thread::get_id());
}

TEST_CASE("an error of detached work is reported once, on the thread of its run") {
    heard.clear();
    leat::run(
        []() -> leat::task<> {
            leat::offload_detached([] { throw std::runtime_error("lost"); });
            while (heard_so_far() == 0) {
                co_await leat::yield();
            }
        },
        {.report = hear});
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].first == "detached work failed: lost");
    CHECK(heard[0].second == std::this_thread::get_id());
}

TEST_CASE("an error of detached work that outlives its run is reported once, on the pool's thread") {
    heard.clear();
    std::binary_semaphore go(0);
    leat::run(
        [&]() -> leat::task<> {
            leat::offload_detached([&] {
                go.acquire();
                throw 5;
            });
            co_return;
        },
        {.report = hear});
    CHECK(heard_so_far() == 0);
    go.release();
    while (heard_so_far() == 0) {
        std::this_thread::yield();
    }
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].first == "detached work failed: an exception of unknown type");
    CHECK(heard[0].second != std::this_thread::get_id());
}

TEST_CASE("exit waits for detached work, begun or queued, on its threads") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    int both[2];
    REQUIRE(::pipe(both) == 0);
    const auto ended = run_in_child([&]() -> int {
        leat::set_offload_threads(1);
        static std::binary_semaphore go(0);
        leat::run([&]() -> leat::task<> {
            leat::offload_detached([out = both[1]] {
                go.acquire();
                (void)!::write(out, "a", 1);
            });
            leat::offload_detached([out = both[1]] { (void)!::write(out, "b", 1); });
            co_return;
        });
        std::atexit([] { go.release(); });  // runs first
        leave_with.status = 7;
        std::exit(1);
    });
    ::close(both[1]);
    const leat::fd input(both[0]);
    char text[8] = {};
    CHECK(::read(input.get(), text, sizeof text) == 2);
    CHECK(std::string(text) == "ab");
    INFO("it wrote: ", ended.errors);
    CHECK(ended.status == 7);
}

TEST_CASE("detached work may call exit on its thread") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    const auto ended = run_in_child([]() -> int {
        std::binary_semaphore never(0);
        leat::run([&]() -> leat::task<> {
            leave_with.status = 3;
            leat::offload_detached([] { std::exit(1); });
            never.acquire();
            co_return;
        });
        return 0;
    });
    INFO("it wrote: ", ended.errors);
    CHECK(ended.status == 3);
}

TEST_CASE("a child after fork offloads to threads of its own") {
    if (!leat::testing::children_have_threads) {
        MESSAGE("skipped: ThreadSanitizer lets no forked child start threads");
        return;
    }
    leat::run([]() -> leat::task<> { co_await leat::offload([] {}); });
    const auto ended = run_in_child([] {
        int given = 0;
        leat::run([&]() -> leat::task<> { given = co_await leat::offload([] { return 9; }); });
        return given;
    });
    CHECK(ended.status == 9);
}
