// SPDX-License-Identifier: MIT
// The character classes of HTTP: which characters a token, a field value or a request target may hold (RFC
// 9110 5.5, 5.6.2; RFC 9112 3.2), and comparison without regard to ASCII case. Never depends on the locale.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace leat::http::detail {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alpha(char c) noexcept {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
// The white space of HTTP within a line.
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline constexpr std::array<bool, 256> token_table = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0x21; i < 0x7f; ++i) {
        const auto c = static_cast<char>(i);
        table[i] = std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
    }
    return table;
}();

[[nodiscard]] constexpr bool is_token_character(char c) noexcept {
    return token_table[static_cast<unsigned char>(c)];
}
// Visible characters, spaces, tabs and bytes above ASCII: no line breaks, zeros or other controls.
[[nodiscard]] constexpr bool is_value_character(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return (code >= 0x20 || code == '\t') && code != 0x7f;
}

// The loops below run to the end whatever they find, which lets the compiler vectorise them.
[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    bool good = !text.empty();
    for (const char c : text) {
        good &= is_token_character(c);
    }
    return good;
}
[[nodiscard]] constexpr bool is_field_value(std::string_view text) noexcept {
    bool good = true;
    for (const char c : text) {
        good &= is_value_character(c);
    }
    return good;
}
// Visible ASCII without the '#' of a fragment, which is never sent.
[[nodiscard]] constexpr bool is_request_target(std::string_view text) noexcept {
    bool good = !text.empty();
    for (const char c : text) {
        good &= c > 0x20 && c < 0x7f && c != '#';
    }
    return good;
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
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
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

}  // namespace leat::http::detail
