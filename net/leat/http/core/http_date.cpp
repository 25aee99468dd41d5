// SPDX-License-Identifier: MIT
#include <leat/http/core/http_date.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace leat::http::detail {
namespace {

bool is_delimiter(char c) noexcept {
    const auto code = static_cast<unsigned char>(c);
    return code == 0x09 || (code >= 0x20 && code <= 0x2f) || (code >= 0x3b && code <= 0x40) ||
           (code >= 0x5b && code <= 0x60) || (code >= 0x7b && code <= 0x7e);
}

// Takes a number of at least `least` and at most `most` digits off the front of `text`, with no digit behind.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) noexcept {
    int value = 0;
    std::size_t size = 0;
    for (; size < text.size() && is_digit(text[size]); ++size) {
        if (size == most) {
            return std::nullopt;
        }
        value = 10 * value + (text[size] - '0');
    }
    if (size < least) {
        return std::nullopt;
    }
    text.remove_prefix(size);
    return value;
}

std::optional<std::array<int, 3>> time_in(std::string_view token) noexcept {
    std::array<int, 3> found{};
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i > 0) {
            if (!token.starts_with(':')) {
                return std::nullopt;
            }
            token.remove_prefix(1);
        }
        const auto number = take_number(token, 1, 2);
        if (!number) {
            return std::nullopt;
        }
        found.at(i) = *number;
    }
    return found;
}

// 1 to 12, or 0.
unsigned month_in(std::string_view token) noexcept {
    constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (unsigned month = 1; month <= 12; ++month) {
        if (equal_ignoring_case(token.substr(0, 3), names.substr(3 * std::size_t(month - 1), 3))) {
            return month;
        }
    }
    return 0;
}

struct date_parts {
    std::optional<std::array<int, 3>> time;
    std::optional<int> day;
    unsigned month = 0;
    std::optional<int> year;

    // A token is what it can be and the date lacks.
    void take(std::string_view token) noexcept {
        if (!time && (time = time_in(token))) {
            return;
        }
        std::string_view rest = token;
        if (!day && (day = take_number(rest, 1, 2))) {
            return;
        }
        if (month == 0 && (month = month_in(token)) != 0) {
            return;
        }
        if (!year) {
            year = take_number(token, 2, 4);
        }
    }
};

}  // namespace

std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) noexcept {
    date_parts found;
    while (!text.empty()) {
        const auto* const end = std::ranges::find_if(text, is_delimiter);
        const auto size = static_cast<std::size_t>(end - text.begin());
        if (size > 0) {
            found.take(text.substr(0, size));
        }
        text.remove_prefix(std::min(size + 1, text.size()));
    }
    if (!found.time || !found.day || found.month == 0 || !found.year) {
        return std::nullopt;
    }
    int year = *found.year;
    year += year >= 70 && year <= 99 ? 1900 : year <= 69 ? 2000 : 0;
    const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(found.month),
                                           std::chrono::day(static_cast<unsigned>(*found.day)));
    const auto [hour, minute, second] = *found.time;
    if (year < 1601 || !date.ok() || hour > 23 || minute > 59 || second > 59) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

}  // namespace leat::http::detail
