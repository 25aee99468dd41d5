// SPDX-License-Identifier: MIT
#include <leat/http/range.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>
#include <optional>

namespace leat::http {
namespace {

constexpr std::size_t overlaps_max = 2;

// A number of any length: what is longer than 64 bits is larger than any representation.
std::optional<std::uint64_t> position_in(std::string_view digits) noexcept {
    if (digits.empty() || !std::ranges::all_of(digits, detail::is_digit)) {
        return std::nullopt;
    }
    return leat::detail::parse_number<std::uint64_t>(digits).value_or(UINT64_MAX);
}

// "first-last", "first-" or "-suffix"; nothing for what is none of them. It is empty when the representation
// has nothing of it.
std::optional<byte_range> read_part(std::string_view text, std::uint64_t size) noexcept {
    const std::size_t dash = text.find('-');
    if (dash == text.npos) {
        return std::nullopt;
    }
    const auto first = position_in(text.substr(0, dash));
    const auto last = position_in(text.substr(dash + 1));
    if (dash == 0) {
        const std::uint64_t suffix = std::min(last.value_or(0), size);
        return last ? std::optional(byte_range{size - suffix, suffix}) : std::nullopt;
    }
    if (!first || (!last && dash + 1 != text.size()) || (last && *last < *first)) {
        return std::nullopt;
    }
    if (*first >= size) {
        return byte_range{};
    }
    return byte_range{*first, std::min(last.value_or(UINT64_MAX), size - 1) - *first + 1};
}

// How many of them begin inside another.
std::size_t overlaps(std::vector<byte_range> parts) {
    std::ranges::sort(parts, {}, &byte_range::offset);
    std::size_t count = 0;
    std::uint64_t end = 0;
    for (const byte_range& each : parts) {
        count += each.offset < end ? 1 : 0;
        end = std::max(end, each.offset + each.size);
    }
    return count;
}

}  // namespace

asked_ranges read_range(std::string_view field, std::uint64_t size, std::size_t most) {
    const std::size_t equals = field.find('=');
    if (size == 0 || equals == field.npos || !detail::equal_ignoring_case(field.substr(0, equals), "bytes")) {
        return {};
    }
    std::string_view list = field.substr(equals + 1);
    std::vector<byte_range> parts;
    std::size_t count = 0;
    for (std::string_view each = detail::next_element(list); !each.empty();
         each = detail::next_element(list)) {
        const auto part = read_part(each, size);
        if (!part) {
            return {};
        }
        if (++count > most) {
            return {range_answer::refused, {}};
        }
        if (part->size > 0) {
            parts.push_back(*part);
        }
    }
    if (count == 0) {
        return {};
    }
    if (parts.empty() || overlaps(parts) > overlaps_max) {
        return {range_answer::refused, {}};
    }
    return {range_answer::parts, std::move(parts)};
}

std::optional<told_range> read_content_range(std::string_view field) noexcept {
    using leat::detail::parse_number;
    constexpr std::string_view unit = "bytes ";
    if (!detail::equal_ignoring_case(field.substr(0, unit.size()), unit)) {
        return std::nullopt;
    }
    field.remove_prefix(unit.size());
    const std::size_t slash = std::min(field.find('/'), field.size());
    const std::string_view part = field.substr(0, slash);
    const std::string_view whole = field.substr(std::min(slash + 1, field.size()));
    told_range told{.part = std::nullopt, .size = parse_number<std::uint64_t>(whole)};
    if (!told.size && whole != "*") {
        return std::nullopt;
    }
    if (part == "*") {
        return told.size ? std::optional(told) : std::nullopt;
    }
    const std::size_t dash = std::min(part.find('-'), part.size());
    const auto first = parse_number<std::uint64_t>(part.substr(0, dash));
    const auto last = parse_number<std::uint64_t>(part.substr(std::min(dash + 1, part.size())));
    if (!first || !last || *last < *first || *last >= told.size.value_or(UINT64_MAX)) {
        return std::nullopt;
    }
    told.part = byte_range{*first, *last - *first + 1};
    return told;
}

std::string content_range(byte_range part, std::uint64_t size) {
    return "bytes " + std::to_string(part.offset) + "-" + std::to_string(part.offset + part.size - 1) + "/" +
           std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) {
    return "bytes */" + std::to_string(size);
}

}  // namespace leat::http
