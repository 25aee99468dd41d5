// SPDX-License-Identifier: MIT
#include <fetch/names/content_disposition.hpp>

#include <fetch/names/utf8.hpp>

#include <leat/http/target.hpp>

#include <algorithm>
#include <cstddef>

namespace fetch {
namespace {

constexpr std::string_view field_blanks = " \t";

std::string_view without_blanks(std::string_view text) noexcept {
    const std::size_t begin = std::min(text.find_first_not_of(field_blanks), text.size());
    return text.substr(begin, text.find_last_not_of(field_blanks) + 1 - begin);
}

bool same_word(std::string_view given, std::string_view small) noexcept {
    return std::equal(given.begin(), given.end(), small.begin(), small.end(), [](char one, char other) {
        return one == other || (one >= 'A' && one <= 'Z' && one - 'A' + 'a' == other);
    });
}

struct parameter {
    std::string name;
    std::string value;
    bool is_quoted = false;
};

// What stands between the quotes, the first of which is the front of `text`; takes it, and all up to the next
// semicolon, off `text`.
std::string take_quoted(std::string_view& text) {
    std::string value;
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
        i += text[i] == '\\' && i + 1 < text.size() ? 1 : 0;
        value += text[i];
    }
    text.remove_prefix(std::min(i, text.size()));
    text.remove_prefix(std::min(text.find(';'), text.size()));
    return value;
}

// Takes what stands before the next semicolon off the front of `field`, and that.
parameter take_parameter(std::string_view& field) {
    parameter taken;
    const std::size_t end = std::min(field.find_first_of("=;\""), field.size());
    taken.name = without_blanks(field.substr(0, end));
    field.remove_prefix(end);
    if (field.starts_with('=')) {
        field.remove_prefix(1);
        field.remove_prefix(std::min(field.find_first_not_of(field_blanks), field.size()));
        taken.is_quoted = field.starts_with('"');
        if (!taken.is_quoted) {
            const std::string_view value = field.substr(0, field.find(';'));
            taken.value = without_blanks(value);
            field.remove_prefix(value.size());
        }
    }
    if (field.starts_with('"')) {  // a value, or what should not be here
        taken.value = take_quoted(field);
    }
    field.remove_prefix(std::min<std::size_t>(field.size(), 1));
    return taken;
}

// What bytes of ISO-8859-1 say, in UTF-8.
std::string from_latin(std::string_view text) {
    std::string made;
    for (const char each : text) {
        const auto code = static_cast<unsigned char>(each);
        if (code < 0x80) {
            made += each;
        } else {
            made += static_cast<char>(0xc0U | code >> 6U);
            made += static_cast<char>(0x80U | (code & 0x3fU));
        }
    }
    return made;
}

// RFC 8187 3.2: UTF-8'en'na%c3%afve. Nothing for what is not sound.
std::optional<std::string> extended_value(std::string_view text) {
    const std::size_t charset = std::min(text.find('\''), text.size());
    const std::size_t language = text.find('\'', std::min(charset + 1, text.size()));
    if (language == text.npos) {
        return std::nullopt;
    }
    auto bytes = leat::http::percent_decode(text.substr(language + 1));
    if (!bytes.has_value()) {
        return std::nullopt;
    }
    if (same_word(text.substr(0, charset), "utf-8")) {
        return is_utf8(*bytes) ? bytes : std::nullopt;
    }
    const bool has_controls = std::any_of(bytes->begin(), bytes->end(), [](char each) {
        return (static_cast<unsigned char>(each) & 0xe0U) == 0x80;
    });
    return same_word(text.substr(0, charset), "iso-8859-1") && !has_controls
               ? std::optional(from_latin(*bytes))
               : std::nullopt;
}

// Its last part; nothing when that is none.
std::optional<std::string> without_folders(std::string_view path) {
    const std::string_view last = without_blanks(path.substr(path.find_last_of("/\\") + 1));
    const bool is_name = !last.empty() && last != "." && last != "..";
    return is_name ? std::optional<std::string>(last) : std::nullopt;
}

}  // namespace

std::optional<std::string> disposition_name(std::string_view field) {
    std::optional<std::string> plain;
    std::optional<std::string> extended;
    while (!field.empty()) {
        const parameter next = take_parameter(field);
        if (same_word(next.name, "filename") && !plain.has_value()) {
            plain = without_folders(is_utf8(next.value) ? next.value : from_latin(next.value));
        } else if (same_word(next.name, "filename*") && !extended.has_value() && !next.is_quoted) {
            const auto value = extended_value(next.value);
            extended = value.has_value() ? without_folders(*value) : std::nullopt;
        }
    }
    return extended.has_value() ? extended : plain;
}

}  // namespace fetch
