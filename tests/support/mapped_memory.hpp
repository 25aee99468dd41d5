// SPDX-License-Identifier: MIT
// mapped_memory: spans of more bytes than 31 or 32 bits count, for tests of what becomes of their length.
// Pages that nobody writes to take no memory, and read as zeros.
#pragma once

#include <cstddef>
#include <span>

#include <doctest/doctest.h>
#include <sys/mman.h>

namespace test_support {

inline constexpr std::size_t two_gigabytes = std::size_t{1} << 31;
inline constexpr std::size_t four_gigabytes = std::size_t{1} << 32;

// Cut to 32 bits these are negative, nothing, and little.
inline constexpr std::size_t long_lengths[] = {two_gigabytes + 7, four_gigabytes, four_gigabytes + 7};

class mapped_memory {
public:
    explicit mapped_memory(std::size_t size)
        : size_(size),
          first_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0)) {
        REQUIRE(first_ != MAP_FAILED);
    }
    ~mapped_memory() { ::munmap(first_, size_); }
    mapped_memory(const mapped_memory&) = delete;
    mapped_memory& operator=(const mapped_memory&) = delete;

    [[nodiscard]] std::span<std::byte> bytes() const noexcept {
        return {static_cast<std::byte*>(first_), size_};
    }

private:
    std::size_t size_;
    void* first_;
};

}  // namespace test_support
