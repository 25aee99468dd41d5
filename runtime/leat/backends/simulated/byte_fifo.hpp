// SPDX-License-Identifier: MIT
// byte_fifo: bytes on their way, first in, first out. A simulated connection has one for each direction.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace leat {

class byte_fifo {
public:
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - first_; }

    void append(std::span<const std::byte> more) {
        if (first_ > bytes_.size() / 2) {
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        bytes_.insert(bytes_.end(), more.begin(), more.end());
    }
    // Moves the first bytes out; there are as many.
    void take(std::span<std::byte> into) noexcept {
        if (!into.empty()) {
            std::memcpy(into.data(), bytes_.data() + first_, into.size());
            first_ += into.size();
        }
    }
    // Forgets the first, or the last, `count` bytes; at most size().
    void drop_first(std::size_t count) noexcept { first_ += count; }
    void drop_last(std::size_t count) { bytes_.resize(bytes_.size() - count); }
    void clear() noexcept {
        bytes_.clear();
        first_ = 0;
    }

private:
    std::vector<std::byte> bytes_;
    std::size_t first_ = 0;
};

}  // namespace leat
