// SPDX-License-Identifier: MIT
// The pool of receive buffers: its sizes share slabs, and what all of them may have is bounded.
#include <leat/backends/slab_pool.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using leat::buffer_growth;
using leat::slab_pool;

namespace {

constexpr std::size_t small = buffer_growth::size_of(0);
constexpr std::size_t large = buffer_growth::size_of(2);
constexpr std::size_t units_of_large = large / small;

buffer_growth grown(std::uint8_t step) {
    buffer_growth growth;
    for (std::uint8_t i = 0; i < step; ++i) {
        growth.note(buffer_growth::size_of(i), buffer_growth::size_of(i));
    }
    return growth;
}

}  // namespace

TEST_CASE("buffers that a burst has needed go back to the system, and can be had again") {
    const slab_pool::owner pool(new slab_pool);
    for (int round = 0; round < 3; ++round) {
        std::vector<slab_pool::lease> leases;
        for (std::uint32_t i = 0; i < slab_pool::slabs_max * slab_pool::buffers_in_slab; ++i) {
            REQUIRE(pool->provide());
            leases.push_back(pool->take());
            std::memset(leases.back().buffer, static_cast<int>(i % 251), slab_pool::buffer_size);
        }
        CHECK(pool->exhausted());
        CHECK(pool->slab_count() == slab_pool::slabs_max);
        REQUIRE(pool->provide());  // for a receive that finds nothing
        for (std::size_t i = 0; i < leases.size(); ++i) {
            CHECK(leases[i].buffer[100] == static_cast<std::byte>(i % 251));
            pool->release(leases[i].buffer, leases[i].index);
        }
        CHECK(pool->leased() == 0);
        pool->shrink();
        CHECK(pool->slab_count() == slab_pool::slabs_max);  // they have been needed just now
        pool->shrink();
        CHECK(pool->slab_count() == slab_pool::slabs_kept);
    }
}

TEST_CASE("however many large buffers are held, they have half of the pool, and small ones the rest") {
    const slab_pool::owner pool(new slab_pool);
    const buffer_growth growth = grown(2);
    std::vector<slab_pool::lease> held;
    std::size_t largest = 0;
    for (int stalled = 0; stalled < 1000; ++stalled) {
        held.push_back(pool->take_for(growth));
        REQUIRE(held.back().buffer != nullptr);
        std::memset(held.back().buffer, 'x', slab_pool::size_of(held.back()));
        largest += slab_pool::size_of(held.back()) == large ? 1 : 0;
    }
    CHECK(largest == slab_pool::large_slabs_max);
    CHECK(pool->slab_count() == slab_pool::slabs_max);
    CHECK(pool->leased() == largest * units_of_large + 1000 - largest);
    for (const slab_pool::lease& each : held) {
        pool->release(each.buffer, each.index);
    }
    CHECK(pool->leased() == 0);
    pool->shrink();
    pool->shrink();
    CHECK(pool->slab_count() == slab_pool::slabs_kept);
}

TEST_CASE("buffers of both large sizes never overlap, nor do they with small ones") {
    const slab_pool::owner pool(new slab_pool);
    for (int round = 0; round < 2; ++round) {
        std::vector<slab_pool::lease> held;
        for (int i = 0; i < 300; ++i) {
            held.push_back(pool->take_for(grown(static_cast<std::uint8_t>(i % buffer_growth::steps))));
            REQUIRE(held.back().buffer != nullptr);
            std::memset(held.back().buffer, i % 251, slab_pool::size_of(held.back()));
        }
        for (std::size_t i = 0; i < held.size(); ++i) {
            const std::span<std::byte> bytes(held[i].buffer, slab_pool::size_of(held[i]));
            CHECK(std::ranges::all_of(bytes, [&](std::byte each) { return each == std::byte(i % 251); }));
            pool->release(held[i].buffer, held[i].index);
        }
        CHECK(pool->leased() == 0);
        pool->shrink();
    }
}

TEST_CASE("large buffers that nobody has make room for small ones") {
    const slab_pool::owner pool(new slab_pool);
    const buffer_growth growth = grown(2);
    std::vector<slab_pool::lease> held;
    for (std::uint32_t i = 0; i < slab_pool::large_slabs_max; ++i) {
        held.push_back(pool->take_for(growth));
    }
    for (const slab_pool::lease& each : held) {
        pool->release(each.buffer, each.index);
    }
    held.clear();
    for (std::uint32_t i = 0; i < slab_pool::slabs_max * slab_pool::buffers_in_slab; ++i) {
        REQUIRE(pool->provide());
        held.push_back(pool->take());
        CHECK(held.back().index < slab_pool::slabs_max * slab_pool::buffers_in_slab);  // not from the heap
    }
    held.push_back(pool->take_for(growth));  // from the heap
    CHECK(slab_pool::size_of(held.back()) == small);
    for (const slab_pool::lease& each : held) {
        pool->release(each.buffer, each.index);
    }
}

TEST_CASE("small buffers that nobody has make room for large ones") {
    const slab_pool::owner pool(new slab_pool);
    std::vector<slab_pool::lease> held;
    for (std::uint32_t i = 0; i < slab_pool::slabs_max * slab_pool::buffers_in_slab; ++i) {
        REQUIRE(pool->provide());
        held.push_back(pool->take());
    }
    const buffer_growth growth = grown(2);
    held.push_back(pool->take_for(growth));
    CHECK(slab_pool::size_of(held.back()) == small);
    for (const slab_pool::lease& each : held) {
        pool->release(each.buffer, each.index);
    }
    held.clear();
    constexpr int soon = 300;  // that there was none is not looked at each time
    std::size_t size = 0;
    for (int i = 0; i < soon && size != large; ++i) {
        const slab_pool::lease taken = pool->take_for(growth);
        size = slab_pool::size_of(taken);
        pool->release(taken.buffer, taken.index);
    }
    CHECK(size == large);
    for (std::uint32_t i = 0; i < slab_pool::large_slabs_max; ++i) {
        held.push_back(pool->take_for(growth));
        CHECK(slab_pool::size_of(held.back()) == large);
    }
    for (const slab_pool::lease& each : held) {
        pool->release(each.buffer, each.index);
    }
}

TEST_CASE("a large buffer outlives its backend, and any thread may release it") {
    const std::int64_t before = slab_pool::living();
    slab_pool::owner pool(new slab_pool);
    const slab_pool::lease large_one = pool->take_for(grown(2));
    const slab_pool::lease middle_one = pool->take_for(grown(1));
    slab_pool* const abandoned = pool.get();
    pool.reset();
    CHECK(slab_pool::living() == before + 1);
    std::thread([&] { abandoned->release(large_one.buffer, large_one.index); }).join();
    CHECK(slab_pool::living() == before + 1);
    abandoned->release(middle_one.buffer, middle_one.index);
    CHECK(slab_pool::living() == before);
}
