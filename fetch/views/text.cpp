// SPDX-License-Identifier: MIT
#include <fetch/views/text.hpp>

#include <fetch/names/utf8.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace fetch {
namespace {

bool is_shown(char32_t code) noexcept {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool line_end = code == 0x2028 || code == 0x2029;
    const bool turns_text = code == 0x061C || code == 0x200E || code == 0x200F ||
                            (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return !control && !line_end && !turns_text && code != 0xFEFF;
}

template <typename... Values>
std::string formatted(const char* form, Values... values) {
    char text[64];
    (void)std::snprintf(text, sizeof text, form, values...);
    return text;
}

}  // namespace

std::string printable(std::string_view text, bool unicode) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const character next = first_character(text);
        const std::size_t size = std::max<std::size_t>(next.size, 1);
        const bool plain = next.size > 0 && is_shown(next.number) && (unicode || next.number < 0x80);
        shown += plain ? text.substr(0, size) : "?";
        text.remove_prefix(size);
    }
    return shown;
}

std::string_view name_of(transfer_state state) noexcept {
    switch (state) {
        case transfer_state::waiting:
            return "waiting";
        case transfer_state::asking:
            return "asking";
        case transfer_state::receiving:
            return "receiving";
        case transfer_state::fetched:
            return "fetched";
        case transfer_state::kept:
            return "kept";
        case transfer_state::failed:
            return "failed";
    }
    return "failed";
}

std::string failure_line(const transfer& of, bool unicode) {
    std::string text = of.failure.has_value() ? of.failure->text : "it failed";
    if (!of.shown.empty() && text.find(of.shown) == std::string::npos) {
        text.insert(0, of.shown + ": ");
    }
    if (of.tries > 1) {
        text += " (tried " + std::to_string(of.tries) + " times)";
    }
    return printable(text, unicode);
}

std::string amount_text(std::uint64_t bytes) {
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    auto amount = static_cast<double>(bytes);
    const char* unit = " kMGTPE";
    while (amount >= 999.5) {
        amount /= 1000;
        ++unit;
    }
    return formatted(amount < 9.95 ? "%.1f %cB" : "%.0f %cB", amount, *unit);
}

std::string time_text(leat::duration length) {
    using namespace std::chrono;
    const auto whole = duration_cast<seconds>(length).count();
    if (length < seconds(10)) {
        return seconds_text(length, 1) + " s";
    }
    if (whole < 60) {
        return std::to_string(whole) + " s";
    }
    if (whole < 3600) {
        return formatted("%d:%02d", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
    }
    if (whole < 100 * 3600) {
        return formatted("%d:%02d:%02d", static_cast<int>(whole / 3600), static_cast<int>(whole / 60 % 60),
                         static_cast<int>(whole % 60));
    }
    return std::to_string(whole / 86400) + " d";
}

std::string seconds_text(leat::duration length, int digits) {
    return formatted("%.*f", digits, std::chrono::duration<double>(length).count());
}

}  // namespace fetch
