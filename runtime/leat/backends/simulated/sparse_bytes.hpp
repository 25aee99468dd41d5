// SPDX-License-Identifier: MIT
// sparse_bytes: the bytes of a simulated file, kept by pages, so that a hole takes no memory.
// Invariant: what a page holds behind the end is zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

namespace leat {

class sparse_bytes {
public:
    static constexpr std::uint64_t page_size = 4096;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t pages() const noexcept { return pages_.size(); }
    // How many pages a write of these bytes would add.
    [[nodiscard]] std::uint64_t pages_missing(std::uint64_t offset, std::uint64_t length) const;

    // How many bytes were there to read; the rest of `into` is left as it is.
    std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
    void write(std::uint64_t offset, std::span<const std::byte> from);
    void resize(std::uint64_t size);

private:
    using page = std::array<std::byte, page_size>;

    std::map<std::uint64_t, page> pages_;  // by number
    std::uint64_t size_ = 0;
};

}  // namespace leat
