// SPDX-License-Identifier: MIT
// Reads a Set-Cookie field (RFC 6265 5.2 and 5.3, with the rules of 6265bis), and answers what domains and
// paths have to do with each other. Used by cookie_jar.
#pragma once

#include <leat/http/cookie_jar.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

// The cookie that `text` of `from` makes, expired ones too; nothing for what is no cookie, or is for a domain
// that is not that of `from`, or breaks the promise of its name (__Host-, __Secure-).
[[nodiscard]] std::optional<cookie> read_set_cookie(const url& from, std::string_view text,
                                                    std::chrono::sys_seconds now);

// Whether a cookie that was made elsewhere can be: all members are such that a Set-Cookie field could have
// made it.
[[nodiscard]] bool is_possible(const cookie& made);

// Whether `host` is `domain` or below it; an address is only below itself.
[[nodiscard]] bool is_below(std::string_view host, std::string_view domain);
// Whether a cookie for `path` goes with a request for `asked`.
[[nodiscard]] bool path_covers(std::string_view path, std::string_view asked) noexcept;

// Whether sites of different owners stand below `domain`.
[[nodiscard]] bool is_public_suffix(const std::string& domain);

}  // namespace leat::http::detail
