// SPDX-License-Identifier: MIT
// evaluate: what the conditions of a request say of the representation that it is about (RFC 9110 13):
// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and If-Range, in the order of 13.2.2.
//
//   switch (leat::http::evaluate(asked, {.tag = "\"v7\""})) { ... }
//
// A server asks when it would answer with 2xx, before it changes anything.
#pragma once

#include <leat/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http {

// What tells one state of a representation from another (RFC 9110 8.8).
struct validators {
    // As it stands in an ETag field, with its quotes: "\"v7\"", or "W/\"v7\"" for a weak one: of states that
    // are equivalent and not the same bytes. Empty: it has none. Lives while it is looked at.
    std::string_view tag = {};
    // When it was changed last. A fraction of a second does not count.
    std::optional<std::chrono::system_clock::time_point> modified = std::nullopt;
    // False: there is none, as for a PUT that makes something new.
    bool exists = true;
};

enum class condition : std::uint8_t {
    holds,         // go on
    not_modified,  // answer with 304: the client has it
    failed,        // answer with 412
};

[[nodiscard]] condition evaluate(const request& asked, const validators& current);

// Whether the Range field of a request counts: there is one, the method is GET, and If-Range, if there is
// one, names the current state: by a strong tag, or by exactly its time.
[[nodiscard]] bool wants_range(const request& asked, const validators& current);

// Whether `text` is an entity tag, with its quotes (RFC 9110 8.8.3).
[[nodiscard]] bool is_entity_tag(std::string_view text) noexcept;
// Whether two tags mean the same bytes; and whether they mean what is equivalent (RFC 9110 8.8.3.2).
[[nodiscard]] bool same_bytes(std::string_view one, std::string_view other) noexcept;
[[nodiscard]] bool equivalent(std::string_view one, std::string_view other) noexcept;

// "Sun, 06 Nov 1994 08:49:37 GMT", for Last-Modified and Expires (RFC 9110 5.6.7); and what such a field
// says, also in the two forms of old. Nothing for what is no date, and for years before 1601.
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point when);
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) noexcept;

}  // namespace leat::http
