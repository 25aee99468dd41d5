// SPDX-License-Identifier: MIT
// The stacks of fibres: recycled, guarded, and as many as the system gives.
#include "../../crash/child_process.hpp"
#include "../../support/sanitizers.hpp"

#include <leat/blocking.hpp>
#include <leat/fibre/core/fibre_stack.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include <sys/resource.h>

using namespace std::chrono_literals;
using leat::await;
using leat::blocking;
using leat::detail::count_fibre_stacks;
using leat::detail::fibre_stack;

LEAT_TEST("stacks are used again") {
    co_await blocking([] {});
    const auto before = count_fibre_stacks();
    for (int i = 0; i < 100; ++i) {
        co_await blocking([] { await(leat::yield()); });
    }
    const auto after = count_fibre_stacks();
    CHECK(after.in_use == 0);
    CHECK(after.kept == before.kept);
}

LEAT_TEST("of many stacks that are not used any more few are kept") {
    leat::event goes_on;
    leat::testing::nursery tasks;
    for (int i = 0; i < 300; ++i) {
        tasks.spawn(blocking([&] { await(goes_on.wait()); }));
    }
    co_await leat::testing::wait_until_idle();
    CHECK(count_fibre_stacks().in_use == 300);
    goes_on.set();
    co_await tasks.wait();
    CHECK(count_fibre_stacks().in_use == 0);
    CHECK(count_fibre_stacks().kept <= fibre_stack::kept_most);
}

LEAT_TEST("a function gets the stack that it asks for") {
    const auto uses = [](std::size_t size) {
        std::vector<std::byte*> touched;
        auto* const block = static_cast<std::byte*>(__builtin_alloca(size));
        std::memset(block, 1, size);
        await(leat::yield());
        return block[size / 2] == std::byte{1};
    };
    const bool small = co_await blocking({.stack = 1}, uses, std::size_t{4096});
    CHECK(small);
    const bool large = co_await blocking({.stack = std::size_t{8} << 20}, uses, std::size_t{7} << 20);
    CHECK(large);
    bool refused = false;
    try {
        co_await blocking({.stack = std::size_t{1} << 40}, [] {});
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    CHECK(refused);
}

// Not a loop for the optimizer.
[[gnu::noinline]] static int recurses(int depth, volatile std::byte* above) {
    volatile std::byte block[512];
    block[0] = above != nullptr ? above[0] : std::byte{};
    return depth == 0 ? 0 : recurses(depth - 1, block) + static_cast<int>(block[0]) + 1;
}

TEST_CASE("a fibre that overflows its stack dies by SIGSEGV, and a line says so") {
    if constexpr (leat::testing::address_sanitized || leat::testing::thread_sanitized) {
        MESSAGE("skipped: a sanitizer reports it in its own way");
        return;
    }
    const auto ended = leat::testing::run_in_child([] {
        std::signal(SIGSEGV, SIG_DFL);  // doctest has one of its own
        leat::run([]() -> leat::task<> {
            co_await blocking({.stack = 32 * 1024}, [] { (void)recurses(1'000'000, nullptr); });
        });
    });
    INFO("it wrote: ", ended.errors);
    CHECK(ended.signal == SIGSEGV);
    CHECK(ended.errors ==
          "leat: a fibre has overflowed its stack of 32768 bytes: give leat::blocking a larger "
          "one, {.stack = ...}\n");
}

TEST_CASE("another fault in a fibre is told as no overflow") {
    if constexpr (leat::testing::address_sanitized || leat::testing::thread_sanitized) {
        MESSAGE("skipped: a sanitizer reports it in its own way");
        return;
    }
    const auto ended = leat::testing::run_in_child([] {
        std::signal(SIGSEGV, SIG_DFL);  // doctest has one of its own
        leat::run([]() -> leat::task<> {
            co_await blocking([] {
                const volatile std::uintptr_t nowhere = 8;  // which no compiler can know to be wrong
                *reinterpret_cast<volatile int*>(nowhere) = 1;
            });
        });
    });
    CHECK(ended.signal == SIGSEGV);
    CHECK(ended.errors.empty());
}

TEST_CASE("a SIGSEGV that is sent ends a program that has run fibres") {
    if constexpr (leat::testing::address_sanitized || leat::testing::thread_sanitized) {
        MESSAGE("skipped: a sanitizer reports it in its own way");
        return;
    }
    const auto ended = leat::testing::run_in_child([] {
        std::signal(SIGSEGV, SIG_DFL);  // doctest has one of its own
        leat::run([]() -> leat::task<> { co_await blocking([] {}); });
        ::raise(SIGSEGV);
    });
    CHECK(ended.signal == SIGSEGV);
    CHECK(ended.errors.empty());
}

TEST_CASE("40,000 fibres sleep at once, or the first that gets no stack says so") {
    if constexpr (leat::testing::address_sanitized || leat::testing::thread_sanitized) {
        MESSAGE("skipped: a sanitizer keeps memory for each stack");
        return;
    }
    const auto ended = leat::testing::run_in_child([] {
        const int slept = leat::run([]() -> leat::task<int> {
            int count = 0;
            int refused = 0;
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                for (int i = 0; i < 40'000; ++i) {
                    group.spawn([&]() -> leat::task<> {
                        try {
                            co_await blocking({.stack = 16 * 1024}, [] { await(leat::sleep(10ms)); });
                            ++count;
                        } catch (const std::bad_alloc&) {
                            ++refused;
                        }
                    });
                }
                co_return;
            });
            co_return count + refused == 40'000 && count >= 30'000 ? 40'000 : count;
        });
        return slept == 40'000 ? 0 : 1;
    });
    INFO("it wrote: ", ended.errors);
    CHECK(ended.status == 0);
}

TEST_CASE("without memory for a stack blocking throws std::bad_alloc") {
    if constexpr (leat::testing::address_sanitized || leat::testing::thread_sanitized) {
        MESSAGE("skipped: a sanitizer needs the address space");
        return;
    }
    const auto ended = leat::testing::run_in_child([] {
        const rlimit little{std::size_t{1} << 30, std::size_t{1} << 30};
        ::setrlimit(RLIMIT_AS, &little);
        return leat::run([]() -> leat::task<int> {
            bool refused = false;
            try {
                co_await blocking({.stack = std::size_t{1} << 30}, [] {});
            } catch (const std::bad_alloc&) {
                refused = true;
            }
            co_return co_await blocking([&] { return refused ? 0 : 1; });
        });
    });
    CHECK(ended.status == 0);
}
