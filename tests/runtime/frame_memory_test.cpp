// SPDX-License-Identifier: MIT
// What frames leave behind: a thread keeps a bounded number of blocks, whoever has allocated them.
#include <leat/testing/counted_memory.hpp>

#include <leat/frame_pool.hpp>
#include <leat/remote_call.hpp>
#include <leat/runtime.hpp>

#include "../support/sanitizers.hpp"
#include "other_thread.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <thread>
#include <vector>

using leat::testing::counted_memory::allocations;
using leat::testing::counted_memory::living;
namespace frame_pool = leat::frame_pool;

namespace {

constexpr bool recycles = !leat::testing::address_sanitized;
constexpr std::size_t size = 512;
constexpr long kept_most = frame_pool::kept_most / size;

std::vector<void*> allocated(std::size_t count) {
    std::vector<void*> blocks(count);
    for (void*& block : blocks) {
        block = frame_pool::allocate(size);
    }
    return blocks;
}

void release(const std::vector<void*>& blocks) {
    for (void* block : blocks) {
        frame_pool::release(block, size);
    }
}

leat::task<> yield_once() {
    co_await leat::yield();
}

}  // namespace

TEST_CASE("of a burst of blocks as many stay as a size may keep" * doctest::skip(!recycles)) {
    frame_pool::trim();
    const long before = living;
    {
        const auto blocks = allocated(20 * kept_most);
        release(blocks);
    }
    CHECK(living - before == kept_most);
    const long made = allocations;
    const auto again = allocated(kept_most);
    CHECK(allocations - made == 1);  // the vector: each of the blocks was there
    release(again);
    CHECK(living - before == kept_most + 1);
    frame_pool::trim();
    CHECK(living - before == 1);
}

TEST_CASE("blocks that another thread has allocated are kept up to the same bound" *
          doctest::skip(!recycles)) {
    frame_pool::trim();
    const long before = living;
    for (int round = 0; round < 20; ++round) {
        std::vector<void*> blocks;
        std::thread([&] { blocks = allocated(kept_most); }).join();
        release(blocks);
    }
    CHECK(living - before == kept_most);
    frame_pool::trim();
    CHECK(living - before == 0);
}

TEST_CASE("a burst of tasks leaves a bounded number of blocks" * doctest::skip(!recycles)) {
    long left = -1;
    constexpr long tasks = 50'000;
    leat::run([&]() -> leat::task<> {
        frame_pool::trim();
        const long before = living;
        for (long i = 0; i < tasks; ++i) {
            leat::spawn(yield_once);
        }
        co_await leat::yield();
        while (leat::current_scheduler().root().size > 1) {
            co_await leat::yield();
        }
        left = living - before;
    });
    // A frame and a state each, of at least 64 bytes.
    CHECK(left > 0);
    CHECK(left <= 2 * static_cast<long>(frame_pool::kept_most / 64));
}

TEST_CASE("tasks spawned on another thread, one way, leave a bounded number of blocks there" *
          doctest::skip(!recycles)) {
    leat::run([]() -> leat::task<> {
        leat::other_thread other;
        const long before = living;
        for (int round = 0; round < 50; ++round) {
            for (int i = 0; i < 1'000; ++i) {
                CHECK(other.remote().spawn(yield_once));
            }
            co_await other.remote().call(yield_once);  // those before it have begun, and end before long
        }
        CHECK(living - before <= 3 * static_cast<long>(frame_pool::kept_most / 64));
        other.stop();
    });
}
