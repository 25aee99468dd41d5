// SPDX-License-Identifier: MIT
// Headers of the PROXY protocol as bytes.
#pragma once

#include <string>
#include <string_view>

namespace leat::testing {

// Of version 2.
inline std::string binary_header(int command, int family, std::string_view rest) {
    std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
    bytes += static_cast<char>(command);
    bytes += static_cast<char>(family);
    bytes += static_cast<char>(rest.size() >> 8);
    bytes += static_cast<char>(rest.size() & 0xff);
    return bytes.append(rest);
}

}  // namespace leat::testing
