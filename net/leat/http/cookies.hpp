// SPDX-License-Identifier: MIT
// Cookies of an HTTP server: those that a request brings, and those that an answer sets (RFC 6265).
//
//   const auto session = leat::http::cookie_of(asked, "session");
//   leat::http::set_cookie(page, "session", fresh_number(), {.max_age = std::chrono::hours(1)});
//
// cookie_jar.hpp is for clients.
#pragma once

#include <leat/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::http {

// All cookies of a request, as they were sent: a client may send any. Views of its headers.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> cookies_of(const request& asked);
// The first of that name. Browsers send the one with the longest path first. Names are case-sensitive.
[[nodiscard]] std::optional<std::string_view> cookie_of(const request& asked, std::string_view name);

// Whether a browser sends a cookie along when another site leads it here (RFC 6265bis 5.6.7).
enum class same_site : std::uint8_t {
    strict,  // never
    lax,     // for a link that is followed, but not for a form that is posted or a picture
    none,    // always. Browsers want `secure` with it
};

// Unless told otherwise a cookie is for the whole host that sets it and no other, over TLS only, not for
// scripts, and ends with the browser.
struct cookie_options {
    std::string_view path = "/";
    std::string_view domain = "";  // with all hosts below it; empty: the host alone
    std::optional<std::chrono::seconds> max_age = std::nullopt;
    bool secure = true;     // false: also over plain HTTP. Browsers take "localhost" for secure
    bool http_only = true;  // false: scripts of the page can read it
    http::same_site same_site = same_site::lax;
};

// Adds a Set-Cookie field. Throws std::invalid_argument, which tells the name, for a name that is no token; a
// value with a blank, quote, comma, semicolon, backslash, control character or byte above ASCII (encode it);
// a path or a domain with a semicolon or a control character; a path without a slash at the front; and what
// browsers refuse: none without secure, and names with __Secure- or __Host- that break their promise.
void set_cookie(response& answer, std::string_view name, std::string_view value, cookie_options how = {});
// The client forgets it: path and domain are those it was set with.
void remove_cookie(response& answer, std::string_view name, cookie_options how = {});

}  // namespace leat::http
