// SPDX-License-Identifier: MIT
// allocations_during(), in the program whose operator new is counted.
#include <leat/runtime.hpp>
#include <leat/testing/counted_memory.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using leat::testing::allocations_during;

TEST_CASE("the allocations of a function are counted") {
    std::vector<std::unique_ptr<int>> kept;
    kept.reserve(3);
    const long made = allocations_during([&] {
        for (int i = 0; i < 3; ++i) {
            kept.push_back(std::make_unique<int>(i));
        }
    });
    CHECK(made == 3);
    CHECK(allocations_during([&] { kept.clear(); }) == 0);
}

TEST_CASE("the allocations of a task are counted, and those of others that run meanwhile") {
    leat::run([]() -> leat::task<> {
        std::unique_ptr<int> there;
        const auto waits = []() -> leat::task<> { co_await leat::yield(); };
        (void)co_await allocations_during(waits);  // makes frames, which are recycled
        const long alone = co_await allocations_during(waits);
        auto other = leat::spawn([&]() -> leat::task<> {
            there = std::make_unique<int>(1);
            co_return;
        });
        const long with_other = co_await allocations_during(waits);
        CHECK(with_other > alone);
        co_await other;
    });
}
