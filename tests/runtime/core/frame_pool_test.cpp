// SPDX-License-Identifier: MIT
#include <leat/core/frame_pool.hpp>

#include "../../support/sanitizers.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace {

constexpr bool recycles = !leat::testing::address_sanitized;

}  // namespace

TEST_CASE("blocks of every size are aligned, apart, and wholly usable") {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (std::size_t size = 1; size < 10'000; size += size < 300 ? 1 : 331) {
        auto* block = static_cast<unsigned char*>(leat::detail::frame_pool::allocate(size));
        CHECK(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ == 0);
        std::memset(block, static_cast<int>(size % 251), size);
        blocks.emplace_back(block, size);
    }
    std::size_t damaged = 0;
    for (const auto& [block, size] : blocks) {
        damaged += block[0] != size % 251 || block[size - 1] != size % 251;
        leat::detail::frame_pool::release(block, size);
    }
    CHECK(damaged == 0);
    leat::detail::frame_pool::trim();
}

TEST_CASE("a released block is used again for the next frame of about its size") {
    void* first = leat::detail::frame_pool::allocate(201);
    leat::detail::frame_pool::release(first, 201);
    void* second = leat::detail::frame_pool::allocate(216);
    if (recycles) {
        CHECK(second == first);
    }
    leat::detail::frame_pool::release(second, 216);
    leat::detail::frame_pool::trim();
}

TEST_CASE("a block may be released on another thread than its own") {
    void* block = leat::detail::frame_pool::allocate(100);
    std::thread([block] {
        leat::detail::frame_pool::release(block, 100);
        void* again = leat::detail::frame_pool::allocate(100);
        if (recycles) {
            CHECK(again == block);
        }
        leat::detail::frame_pool::release(again, 100);
    }).join();
}
