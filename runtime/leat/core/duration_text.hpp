// SPDX-License-Identifier: MIT
// duration_text: how errors tell a length of time that somebody has chosen: "30 s", "250 ms".
#pragma once

#include <leat/clock.hpp>

#include <chrono>
#include <string>

namespace leat::detail {

// In the largest unit, from seconds down, of which it is a whole number.
[[nodiscard]] inline std::string duration_text(duration length) {
    using namespace std::chrono_literals;
    if (length % 1s == duration::zero()) {
        return std::to_string(length / 1s) + " s";
    }
    if (length % 1ms == duration::zero()) {
        return std::to_string(length / 1ms) + " ms";
    }
    return length % 1us == duration::zero() ? std::to_string(length / 1us) + " us"
                                            : std::to_string(length.count()) + " ns";
}

}  // namespace leat::detail
