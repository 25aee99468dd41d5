// SPDX-License-Identifier: MIT
// retry_after: how long the server of an answer wants to be left alone (Retry-After, RFC 9110 10.2.3), which
// comes with 429, 503 and redirects. For who tries again on his own; request_options::retry minds it, too.
//
//     const auto wait = leat::http::retry_after(page);
#pragma once

#include <leat/clock.hpp>
#include <leat/http/message.hpp>

#include <chrono>
#include <optional>

namespace leat::http {

// Seconds, or the time up to a date, from the time of day `now` on: not below zero, a hundred years at most.
// Nothing where there is no such field, or it is neither.
[[nodiscard]] std::optional<duration> retry_after(const response& head,
                                                  std::chrono::system_clock::time_point now) noexcept;
// From now on; in a simulation by its clock.
[[nodiscard]] std::optional<duration> retry_after(const response& head) noexcept;

}  // namespace leat::http
