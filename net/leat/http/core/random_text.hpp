// SPDX-License-Identifier: MIT
// random_text: what a peer cannot guess: the client's nonces, and boundaries between parts of a file.
#pragma once

#include <leat/core/scheduler.hpp>

#include <cstdint>
#include <string>

namespace leat::http::detail {

// 32 hexadecimal digits, drawn from the backend of the run.
[[nodiscard]] inline std::string random_text() {
    std::string text;
    while (text.size() < 32) {
        std::uint64_t bits = current_scheduler().io().random();
        for (int digit = 0; digit < 16; ++digit, bits >>= 4) {
            text += "0123456789abcdef"[bits & 15];
        }
    }
    return text;
}

}  // namespace leat::http::detail
