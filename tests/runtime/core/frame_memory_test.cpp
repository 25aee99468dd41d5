// SPDX-License-Identifier: MIT
// What frames leave behind: a thread keeps a bounded number of blocks, whoever has allocated them.
#include <leat/testing/counted_memory.hpp>

#include <leat/core/frame_pool.hpp>
#include <leat/core/frame_upkeep.hpp>
#include <leat/runtime.hpp>
#include <leat/threads/remote_call.hpp>

#include "../../support/sanitizers.hpp"
#include "../other_thread.hpp"
#include "../virtual_kernel.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

using leat::testing::counted_memory::allocations;
using leat::testing::counted_memory::living;
namespace frame_pool = leat::detail::frame_pool;
using namespace std::chrono_literals;

namespace {

constexpr bool recycles_frames = !leat::testing::address_sanitized;
constexpr std::size_t size = 504;  // a whole block
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

leat::task<> yields_once() {
    co_await leat::yield();
}

}  // namespace

TEST_CASE("what a burst of blocks leaves goes back in periods, but for what a size may keep" *
          doctest::skip(!recycles_frames)) {
    constexpr auto period = frame_pool::upkeep_period;
    constexpr long burst = 20 * kept_most;
    constexpr long given_back_most = frame_pool::given_back_most;
    static_assert(burst - kept_most > given_back_most && burst - kept_most < 2 * given_back_most);
    frame_pool::trim();
    CHECK_FALSE(frame_pool::has_surplus);
    const long before = living;
    release(allocated(burst));
    CHECK(living - before == burst);
    CHECK(frame_pool::has_surplus);
    leat::time_point now{1h};
    CHECK(frame_pool::give_back_surplus(now) == now + period);
    now += period;
    CHECK(frame_pool::give_back_surplus(now) == now + period);
    CHECK(living - before == burst);  // it was in use in this period
    now += period / 2;
    CHECK(frame_pool::give_back_surplus(now) == now + period / 2);
    CHECK(living - before == burst);
    now += period / 2;
    CHECK(frame_pool::give_back_surplus(now) == now + period);
    CHECK(living - before == burst - given_back_most);
    now += period;
    CHECK(frame_pool::give_back_surplus(now) == leat::never);
    CHECK(living - before == kept_most);
    CHECK_FALSE(frame_pool::has_surplus);
    frame_pool::trim();
    CHECK(living == before);
}

TEST_CASE("bursts that come once in a period find their blocks again" * doctest::skip(!recycles_frames)) {
    frame_pool::trim();
    release(allocated(5 * kept_most));
    leat::time_point now{1h};
    const long made = allocations;
    for (int round = 0; round < 10; ++round) {
        (void)frame_pool::give_back_surplus(now += frame_pool::upkeep_period);
        release(allocated(5 * kept_most));
    }
    CHECK(allocations - made == 10);  // the vectors
    frame_pool::trim();
}

TEST_CASE("blocks that another thread has allocated are kept up to the same bound" *
          doctest::skip(!recycles_frames)) {
    frame_pool::trim();
    const long before = living;
    for (int round = 0; round < 20; ++round) {
        std::vector<void*> blocks;
        std::thread([&] { blocks = allocated(kept_most); }).join();
        release(blocks);
    }
    CHECK(living - before == kept_most);
    CHECK_FALSE(frame_pool::has_surplus);
    frame_pool::trim();
    CHECK(living - before == 0);
}

TEST_CASE("an idle loop gives back what a burst of tasks leaves" * doctest::skip(!recycles_frames)) {
    leat::run_virtually([](leat::virtual_kernel& kernel) -> leat::task<> {
        constexpr long tasks = 50'000;
        kernel.says_that_time_is_virtual = false;
        frame_pool::trim();
        const long before = living;
        for (long i = 0; i < tasks; ++i) {
            leat::spawn(yields_once);
        }
        while (leat::current_scheduler().root().size > 1) {
            co_await leat::yield();
        }
        CHECK(living - before >= 2 * tasks);  // a frame and a state each
        const int collects = kernel.collects;
        co_await leat::sleep(1h);
        CHECK(living - before <= 2 * static_cast<long>(frame_pool::kept_most / 64));
        CHECK(living - before > 0);
        CHECK(kernel.collects - collects < 20);  // then it sleeps
    });
}

TEST_CASE("tasks spawned on another thread, one way, leave a bounded number of blocks there" *
          doctest::skip(!recycles_frames)) {
    leat::run([]() -> leat::task<> {
        leat::other_thread other;
        const long before = living;
        for (int round = 0; round < 50; ++round) {
            for (int i = 0; i < 1'000; ++i) {
                CHECK(other.remote().spawn(yields_once));
            }
            co_await other.remote().call(yields_once);  // those before it have begun, and end before long
        }
        CHECK(living - before <= 3 * static_cast<long>(frame_pool::kept_most / 64));
        other.stop();
    });
}
