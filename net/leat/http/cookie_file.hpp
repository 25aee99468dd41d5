// SPDX-License-Identifier: MIT
// Cookies in a file, in the format of Netscape's cookies.txt, which curl and wget have. A line for each has
// seven fields with a tab between two: domain, whether hosts below it get it (TRUE, FALSE), path, whether it
// is for https only, when it ends (seconds since 1970; 0: with the session), name, value. Lines that begin
// with # are comments, but for #HttpOnly_ before a domain.
//
//     leat::http::cookie_jar jar;
//     const auto found = co_await leat::http::load_cookies("cookies.txt", jar);
//     ... client.use_cookies(jar) ...
//     co_await leat::http::save_cookies("cookies.txt", jar);
#pragma once

#include <leat/http/cookie_jar.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

// A line that no cookie was made of.
struct bad_cookie_line {
    std::size_t number;    // from 1 on
    std::string_view why;  // "it has not seven fields"; a text that is always there
};

struct cookies_read {
    std::size_t taken = 0;  // the jar may have dropped some of them again, for its limits
    std::size_t expired = 0;
    std::size_t bad = 0;
    std::vector<bad_cookie_line> bad_lines;  // the first twenty
};

// Puts the cookies of `text` into `jar`, those replaced that are there under the same name, domain and path.
// A bad line is left out, and told. An empty value may lack its tab; lines may end with CRLF.
cookies_read read_cookies(std::string_view text, cookie_jar& jar);

// The cookies of `jar` that have not expired, in the order in which they came, as a file's text; without
// those that end with the session unless they are asked for. One with a tab in it, or of a host whose name
// begins with a dot, cannot be written, and is left out.
[[nodiscard]] std::string cookies_text(const cookie_jar& jar, bool with_session = true);

inline constexpr std::size_t cookie_file_max = std::size_t(16) << 20;

// The same from a file of at most cookie_file_max bytes, and into one, which only its owner can read, and
// which is replaced as a whole or not at all (write_file_atomically). Both throw std::system_error naming the
// file. Cancelled: nothing was loaded; the old file is there, or the new one.
[[nodiscard]] task<cookies_read> load_cookies(std::string path, cookie_jar& jar);
[[nodiscard]] task<> save_cookies(std::string path, const cookie_jar& jar, bool with_session = true);

}  // namespace leat::http
