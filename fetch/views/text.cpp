// SPDX-License-Identifier: MIT
#include <fetch/views/text.hpp>

#include <chrono>
#include <cstdio>

namespace fetch {
namespace {

// How long the character is that begins with this byte, and the smallest that is not written shorter.
struct utf8_form {
    std::size_t bytes;
    char32_t bits;
    char32_t least;
};

utf8_form form_of(unsigned char first) noexcept {
    if (first < 0x80) {
        return {1, first, 0};
    }
    if (first >= 0xC2 && first < 0xE0) {
        return {2, first & 0x1FU, 0x80};
    }
    if (first >= 0xE0 && first < 0xF0) {
        return {3, first & 0x0FU, 0x800};
    }
    if (first >= 0xF0 && first < 0xF5) {
        return {4, first & 0x07U, 0x10000};
    }
    return {0, bad_character, 0};
}

bool is_shown(char32_t code) noexcept {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool line_end = code == 0x2028 || code == 0x2029;
    const bool turns_text = code == 0x061C || code == 0x200E || code == 0x200F ||
                            (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return !control && !line_end && !turns_text && code != bad_character && code != 0xFEFF;
}

template <typename... Values>
std::string formatted(const char* form, Values... values) {
    char text[64];
    (void)std::snprintf(text, sizeof text, form, values...);
    return text;
}

}  // namespace

character first_character(std::string_view text) noexcept {
    const utf8_form form = form_of(static_cast<unsigned char>(text[0]));
    if (form.bytes == 0 || text.size() < form.bytes) {
        return {bad_character, 1};
    }
    char32_t code = form.bits;
    for (const char each : text.substr(1, form.bytes - 1)) {
        const auto byte = static_cast<unsigned char>(each);
        if ((byte & 0xC0U) != 0x80) {
            return {bad_character, 1};
        }
        code = (code << 6U) | (byte & 0x3FU);
    }
    const bool is_none = code < form.least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000);
    return is_none ? character{bad_character, 1} : character{code, form.bytes};
}

std::string printable(std::string_view text, bool unicode) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const character next = first_character(text);
        if (is_shown(next.code) && (unicode || next.code < 0x80)) {
            shown += text.substr(0, next.bytes);
        } else {
            shown += '?';
        }
        text.remove_prefix(next.bytes);
    }
    return shown;
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
