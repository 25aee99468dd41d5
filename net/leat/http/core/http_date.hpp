// SPDX-License-Identifier: MIT
// http_date: points in time as HTTP writes them, read in each form that was ever common: in Retry-After, and
// in cookies. The client uses it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace leat::http::detail {

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", and what
// else RFC 6265 5.1.1 makes a date of; always in UTC. Nothing for what is no date, and for years before 1601.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) noexcept;

}  // namespace leat::http::detail
