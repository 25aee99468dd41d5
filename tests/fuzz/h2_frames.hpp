// SPDX-License-Identifier: MIT
// Frames of HTTP/2 for the fuzzers of its two sides: those that a stranger sends, and those that were said.
#pragma once

#include <leat/check.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fuzz {

// Of a client, before its frames.
inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string frame(unsigned type, unsigned flags, unsigned stream, std::string_view payload) {
    const auto size = static_cast<unsigned>(payload.size());
    std::string made{static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8),
                     static_cast<char>(size),
                     static_cast<char>(type),
                     static_cast<char>(flags),
                     '\0',
                     '\0',
                     '\0',
                     static_cast<char>(stream)};
    return made.append(payload);
}

struct sent {
    std::string bytes;
    bool goes_away = false;  // nghttp2 reads no further then, unless it does so already
};

inline void check_frames(std::string_view said) {
    while (!said.empty()) {
        leat::check(said.size() >= 9, "whole frames are sent");
        const auto* const head = reinterpret_cast<const unsigned char*>(said.data());
        const std::size_t size = static_cast<std::size_t>(head[0]) << 16 | head[1] << 8 | head[2];
        leat::check(said.size() >= 9 + size, "whole frames are sent");
        said.remove_prefix(9 + size);
    }
}

}  // namespace fuzz
