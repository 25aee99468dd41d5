// SPDX-License-Identifier: MIT
#include <leat/core/pushback.hpp>

#include "../../support/mapped_memory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <new>

using leat::detail::give_back;
using leat::detail::take_returned;

TEST_CASE("more bytes than a chunk can hold are not given back, and what was there stays") {
    const test_support::mapped_memory memory(test_support::four_gigabytes + 7);
    std::unique_ptr<leat::chunk> returned;
    CHECK_THROWS_AS(give_back(returned, memory.bytes()), std::bad_alloc);
    CHECK(returned == nullptr);
    const std::array<std::byte, 3> few{std::byte{1}, std::byte{2}, std::byte{3}};
    give_back(returned, few);
    CHECK_THROWS_AS(give_back(returned, memory.bytes()), std::bad_alloc);
    std::array<std::byte, 8> taken{};
    CHECK(take_returned(returned, taken) == 3);
    CHECK(taken[2] == std::byte{3});
    CHECK(returned == nullptr);
}
