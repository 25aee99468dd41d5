// SPDX-License-Identifier: MIT
// A length of time as text for errors of the HTTP client: "30 s", "250 ms".
#pragma once

#include <leat/clock.hpp>

#include <chrono>
#include <string>

namespace leat::http {

[[nodiscard]] inline std::string duration_text(duration length) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
    return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + " s"
                                    : std::to_string(milliseconds) + " ms";
}

}  // namespace leat::http
