// SPDX-License-Identifier: MIT
// What fetch calls the file of a URL.
#pragma once

#include <leat/http.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace fetch {

// The end of a file that is not whole yet.
inline constexpr std::string_view unfinished = ".part";
// Of a name, in bytes: a number and `unfinished` still fit into the 255 that file systems take.
inline constexpr std::size_t name_max = 200;

inline int hexadecimal(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const int lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// With the percent-encoding undone.
inline std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool encoded = text[i] == '%' && i + 2 < text.size() && hexadecimal(text[i + 1]) >= 0 &&
                             hexadecimal(text[i + 2]) >= 0;
        plain +=
            encoded ? static_cast<char>(hexadecimal(text[i + 1]) * 16 + hexadecimal(text[i + 2])) : text[i];
        i += encoded ? 2 : 0;
    }
    return plain;
}

struct character {
    char32_t number = 0;
    std::size_t size = 0;  // in bytes; 0 when it is no UTF-8 (RFC 3629)
};

// The first one of `text`, which is not empty.
inline character first_character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) {
        return {};
    }
    char32_t number = first & (0x7fU >> size);
    for (const char each : text.substr(1, size - 1)) {
        const auto next = static_cast<unsigned char>(each);
        if ((next & 0xc0U) != 0x80) {
            return {};
        }
        number = number << 6U | (next & 0x3fU);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = number >= 0xd800 && number <= 0xdfff;
    return number < least[size] || surrogate || number > 0x10ffff ? character{} : character{number, size};
}

// Whether it may stand in a name and in a terminal: no slash, no control, no character that changes the order
// in which text is shown.
inline bool is_plain(char32_t number) {
    const bool control = number < 0x20 || (number >= 0x7f && number < 0xa0);
    const bool order = number == 0x61c || number == 0x200e || number == 0x200f ||
                       (number >= 0x2028 && number <= 0x202e) || (number >= 0x2066 && number <= 0x2069);
    return number != '/' && !control && !order;
}

// The last segment of the URL's path, "index.html" where that is empty, and the query behind a question mark,
// as wget does: "page?id=1". Percent-encoding is undone; then what is_plain() refuses and what is no UTF-8
// become "_", and so does a dot or a dash at the front. It is cut to name_max bytes between two characters.
// It never looks unfinished: "x.part" becomes "x.part_".
inline std::string file_name(const leat::http::url& url) {
    std::string_view segment = url.path();
    segment.remove_prefix(std::min(segment.size(), segment.rfind('/') + 1));
    std::string wanted = segment.empty() ? "index.html" : decoded(segment);
    if (!url.query().empty()) {
        wanted += "?" + decoded(url.query());
    }
    std::string name;
    for (std::string_view rest = wanted; !rest.empty();) {
        const character next = first_character(rest);
        const std::size_t size = std::max<std::size_t>(next.size, 1);
        const bool plain = next.size > 0 && is_plain(next.number);
        if (name.size() + size > name_max) {
            break;
        }
        name += plain ? rest.substr(0, size) : "_";
        rest.remove_prefix(size);
    }
    if (name.front() == '.' || name.front() == '-') {
        name.front() = '_';
    }
    return name.ends_with(unfinished) ? name + "_" : name;
}

}  // namespace fetch
