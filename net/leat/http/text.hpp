// SPDX-License-Identifier: MIT
// The letters of HTTP: which characters a token, a field value or a request target may hold (RFC 9110 5.5,
// 5.6.2; RFC 9112 3.2), and comparison without regard to ASCII case. Never depends on the locale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alpha(char c) noexcept {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// One bit for each thing a character may be part of.
enum character : std::uint8_t { token_character = 1, value_character = 2, target_character = 4 };

inline constexpr std::array<std::uint8_t, 256> character_table = [] {
    std::array<std::uint8_t, 256> table{};
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        const bool visible = i > 0x20 && i < 0x7f;
        const bool token =
            visible && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
        const bool value = visible || i >= 0x80 || c == ' ' || c == '\t';
        table[static_cast<std::size_t>(i)] =
            static_cast<std::uint8_t>((token ? token_character : 0) | (value ? value_character : 0) |
                                      (visible && c != '#' ? target_character : 0));
    }
    return table;
}();

[[nodiscard]] constexpr bool all_are(character kind, std::string_view text) noexcept {
    std::uint8_t common = 0xff;
    for (const char c : text) {
        common &= character_table[static_cast<unsigned char>(c)];
    }
    return (common & kind) != 0;
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && all_are(token_character, text);
}
[[nodiscard]] constexpr bool is_field_value(std::string_view text) noexcept {
    return all_are(value_character, text);
}
[[nodiscard]] constexpr bool is_request_target(std::string_view text) noexcept {
    return !text.empty() && all_are(target_character, text);
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i])) {
            return false;
        }
    }
    return true;
}

// `text` without the spaces and tabs around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the next non-empty element off the front of a comma-separated list; empty when none is left.
[[nodiscard]] constexpr std::string_view next_element(std::string_view& list) noexcept {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view element = trim(list.substr(0, comma));
        list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
        if (!element.empty()) {
            return element;
        }
    }
    return {};
}

}  // namespace leat::http
