// SPDX-License-Identifier: MIT
#include <leat/http/core/text.hpp>
#include <leat/http/core/url_host.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace leat::http::detail {
namespace {

// Takes the label at the end of `name` off it, with the dot before it.
std::string_view take_last_label(std::string_view& name) noexcept {
    const std::size_t dot = name.rfind('.');
    const std::string_view label = name.substr(dot == name.npos ? 0 : dot + 1);
    name = name.substr(0, dot == name.npos ? 0 : dot);
    return label;
}

std::string_view without_root(std::string_view name) noexcept {
    return name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
}

bool is_hexadecimal(std::string_view text) noexcept {
    return text.starts_with("0x") || text.starts_with("0X");
}

// Saturates above 32 bits.
std::optional<std::uint64_t> parse_part(std::string_view text) noexcept {
    unsigned base = 10;
    if (text.empty()) {
        return std::nullopt;
    }
    if (is_hexadecimal(text)) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.front() == '0') {
        base = 8;
    }
    std::uint64_t number = 0;
    for (const char c : text) {
        const int digit = hex_value(c);
        if (digit < 0 || digit >= static_cast<int>(base)) {
            return std::nullopt;
        }
        number =
            std::min<std::uint64_t>(number * base + static_cast<unsigned>(digit), std::uint64_t{1} << 32);
    }
    return number;
}

// The longest run of zeros among `groups`, if longer than one.
std::pair<std::size_t, std::size_t> run_of_zeros(const std::array<unsigned, 8>& groups) noexcept {
    std::pair<std::size_t, std::size_t> longest{groups.size(), groups.size()};
    for (std::size_t begin = 0; begin < groups.size(); ++begin) {
        std::size_t end = begin;
        while (end < groups.size() && groups[end] == 0) {
            ++end;
        }
        if (end - begin > std::max<std::size_t>(1, longest.second - longest.first)) {
            longest = {begin, end};
        }
    }
    return longest;
}

}  // namespace

bool ends_in_number(std::string_view name) noexcept {
    name = without_root(name);
    std::string_view label = take_last_label(name);
    const bool hexadecimal = is_hexadecimal(label);
    label.remove_prefix(hexadecimal ? 2 : 0);
    return (hexadecimal || !label.empty()) && std::all_of(label.begin(), label.end(), [&](char c) {
               return hexadecimal ? hex_value(c) >= 0 : is_digit(c);
           });
}

std::optional<address> parse_any_ipv4(std::string_view text) noexcept {
    text = without_root(text);
    const auto dots = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
    address::ipv4_bytes bytes{};
    if (dots >= bytes.size()) {
        return std::nullopt;
    }
    auto number = parse_part(take_last_label(text));
    if (!number || *number >> (8 * (bytes.size() - dots)) != 0) {
        return std::nullopt;
    }
    for (std::size_t i = bytes.size(); i-- > dots; *number >>= 8) {
        bytes[i] = static_cast<std::uint8_t>(*number);
    }
    for (std::size_t i = dots; i-- > 0;) {
        number = parse_part(take_last_label(text));
        if (!number || *number > 255) {
            return std::nullopt;
        }
        bytes[i] = static_cast<std::uint8_t>(*number);
    }
    return address(bytes);
}

std::string ipv6_text(const address& from) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i] = from.bytes()[2 * i] * 256U + from.bytes()[2 * i + 1];
    }
    const auto [zeros_begin, zeros_end] = run_of_zeros(groups);
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (i == zeros_begin) {
            text += "::";
            i = zeros_end - 1;
            continue;
        }
        std::array<char, 4> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16).ptr;
        text.append(text.empty() || text.ends_with(':') ? "" : ":").append(digits.data(), end);
    }
    return from.scope_id() == 0 ? text : text + "%" + std::to_string(from.scope_id());
}

}  // namespace leat::http::detail
