// SPDX-License-Identifier: MIT
#include <leat/tls/core/byte_queue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace leat::tls {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST_CASE("bytes leave the queue in the order in which they came, however they are cut") {
    for (const bool keep_block : {false, true}) {
        detail::byte_queue queue(keep_block);
        std::mt19937 random(7);
        std::uint8_t written = 0;
        std::uint8_t read = 0;
        std::size_t size = 0;
        for (int round = 0; round < 5000; ++round) {
            std::vector<std::byte> added(random() % 3 == 0 ? random() % 9000 : random() % 10);
            std::ranges::generate(added, [&] { return std::byte{written++}; });
            if (random() % 4 == 0) {
                queue.reserve(random() % 20'000);
            }
            queue.append(added);
            size += added.size();
            REQUIRE(queue.size() == size);
            while (!queue.empty() && random() % 8 != 0) {
                const auto front = queue.front();
                REQUIRE_FALSE(front.empty());
                const std::size_t count = std::min<std::size_t>(front.size(), 1 + random() % 12'000);
                REQUIRE(std::ranges::all_of(front.first(count),
                                            [&](std::byte each) { return each == std::byte{read++}; }));
                queue.consume(count);
                size -= count;
            }
        }
    }
}

TEST_CASE("the front keeps its address while more is appended") {
    detail::byte_queue queue;
    queue.append(bytes_of("front"));
    const std::byte* const address = queue.front().data();
    for (int round = 0; round < 1000; ++round) {
        queue.append(bytes_of("and quite a lot more behind it"));
    }
    CHECK(queue.front().data() == address);
}

TEST_CASE("consuming may cross what is contiguous") {
    detail::byte_queue queue;
    queue.append(bytes_of(std::string(4000, 'a')));
    queue.append(bytes_of(std::string(10'000, 'b')));
    queue.append(bytes_of("end"));
    queue.consume(14'000);
    CHECK(std::ranges::equal(queue.front(), bytes_of("end")));
}

TEST_CASE("what was reserved is contiguous") {
    detail::byte_queue queue;
    queue.append(bytes_of("x"));
    queue.reserve(50'000);
    queue.reserve(60'000);
    for (int part = 0; part < 60; ++part) {
        queue.append(bytes_of(std::string(1000, 'y')));
    }
    queue.consume(1);
    CHECK(queue.front().size() == 60'000);
}

}  // namespace
}  // namespace leat::tls
