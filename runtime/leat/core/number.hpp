// SPDX-License-Identifier: MIT
// parse_number: parses a whole text as one decimal number: digits only, no sign, no space, nothing after
// them, and no overflow. Used for ports, lengths, indexes and what the environment says, by one rule.
#pragma once

#include <charconv>
#include <concepts>
#include <memory>
#include <optional>
#include <string_view>

namespace leat::detail {

template <std::unsigned_integral Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
    Number number = 0;
    const char* const end = std::to_address(text.end());
    const auto [stop, error] = std::from_chars(std::to_address(text.begin()), end, number);
    if (error != std::errc() || stop != end) {
        return std::nullopt;
    }
    return number;
}

}  // namespace leat::detail
