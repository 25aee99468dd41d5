// SPDX-License-Identifier: MIT
// message_reader: reads a DNS message (RFC 1035 4.1) from its beginning, without following the pointers of
// compressed names. Used by answer_check and negative_answer.
//
// Invariant: everything is empty once the message has ended too early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace leat::detail {

class message_reader {
public:
    explicit message_reader(std::span<const std::byte> message) noexcept : rest_(message) {}

    [[nodiscard]] bool skip(std::size_t count) noexcept {
        if (count > rest_.size()) {
            rest_ = {};
            return false;
        }
        rest_ = rest_.subspan(count);
        return true;
    }
    // Of 16 bits.
    [[nodiscard]] std::optional<unsigned> number() noexcept {
        if (rest_.size() < 2) {
            rest_ = {};
            return std::nullopt;
        }
        const auto high = std::to_integer<unsigned>(rest_[0]);
        const auto low = std::to_integer<unsigned>(rest_[1]);
        rest_ = rest_.subspan(2);
        return high << 8 | low;
    }
    [[nodiscard]] std::optional<std::uint32_t> long_number() noexcept {
        const auto high = number();
        const auto low = number();
        return high && low ? std::optional<std::uint32_t>(*high << 16 | *low) : std::nullopt;
    }
    // A name ends with an empty label, or with a pointer of two bytes to the rest of it.
    [[nodiscard]] bool skip_name() noexcept {
        while (!rest_.empty()) {
            const auto size = std::to_integer<std::size_t>(rest_[0]);
            if (size == 0) {
                return skip(1);
            }
            if (size >= 0xc0) {
                return skip(2);
            }
            if (!skip(1 + size)) {
                return false;
            }
        }
        return false;
    }

private:
    std::span<const std::byte> rest_;
};

}  // namespace leat::detail
