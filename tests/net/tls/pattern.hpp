// SPDX-License-Identifier: MIT
// What the tests of TLS send.
#pragma once

#include <cstddef>
#include <string>

namespace leat::tls {

// Text in which every position can be told from its neighbours.
inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>('a' + (at * 31 + at / 251) % 26);
    }
    return text;
}

}  // namespace leat::tls
