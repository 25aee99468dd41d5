// SPDX-License-Identifier: MIT
// byte_ranges: which bytes of a file, as ranges: those that are there, or those that are missing. For
// output_file, its note, and pieces.
// Invariant: the ranges are in order, none is empty, and no two of them touch.
#pragma once

#include <cstdint>
#include <vector>

namespace fetch {

// Bytes of a file, from `begin` to before `end`.
struct byte_range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
    friend bool operator==(const byte_range&, const byte_range&) = default;
};

class byte_ranges {
public:
    byte_ranges() = default;
    // Those of `all` that are below `size`. They are in order and apart.
    explicit byte_ranges(const std::vector<byte_range>& all, std::uint64_t size = UINT64_MAX);

    // It may be there already, in part or whole.
    void add(byte_range one);
    // All from `size` on.
    void cut(std::uint64_t size);
    // The first range, which is no longer one of them. There is one.
    byte_range take_first();
    void clear() noexcept { all_.clear(); }

    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    // The end of the last one; 0: there is none.
    [[nodiscard]] std::uint64_t end() const noexcept { return all_.empty() ? 0 : all_.back().end; }
    // How many bytes from the start on.
    [[nodiscard]] std::uint64_t prefix() const noexcept {
        return !all_.empty() && all_.front().begin == 0 ? all_.front().end : 0;
    }
    // How many bytes in all.
    [[nodiscard]] std::uint64_t count() const noexcept;
    // What is between them, in a file of `size` bytes.
    [[nodiscard]] byte_ranges gaps(std::uint64_t size) const;
    // All that `others` are.
    [[nodiscard]] bool holds(const byte_ranges& others) const;
    [[nodiscard]] const std::vector<byte_range>& all() const noexcept { return all_; }

    friend bool operator==(const byte_ranges&, const byte_ranges&) = default;

private:
    std::vector<byte_range> all_;
};

}  // namespace fetch
