// SPDX-License-Identifier: MIT
// The characters of texts from strangers (UTF-8, RFC 3629).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace fetch {

struct utf8_character {
    char32_t number = 0;
    std::size_t size = 0;  // in bytes; 0 when it is no UTF-8
};

// The first one of `text`, which is not empty.
[[nodiscard]] constexpr utf8_character first_utf8(std::string_view text) noexcept {
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
    return number < least[size] || surrogate || number > 0x10ffff ? utf8_character{}
                                                                  : utf8_character{number, size};
}

// Whether all of it is.
[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t size = first_utf8(text).size;
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace fetch
