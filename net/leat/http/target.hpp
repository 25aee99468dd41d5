// SPDX-License-Identifier: MIT
// The parts of a request's target: its path and its query, and percent-decoding.
//
//   const auto [path, query] = leat::http::split_target(asked.target);     // "/a%20b", "page=2"
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::http {

struct target_parts {
    std::string_view path;   // as it was sent: still encoded
    std::string_view query;  // behind the '?'
};

// Of "/path?query", and of "http://host/path?query", whose path is at least "/". Those of "*" and of
// "host:port" are empty. They are views of `target`.
[[nodiscard]] target_parts split_target(std::string_view target) noexcept;

// `text` with each "%41" as the byte that it means. Nothing when a '%' begins no such triple. What is decoded
// may hold every byte: a zero, a slash, "..".
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace leat::http
