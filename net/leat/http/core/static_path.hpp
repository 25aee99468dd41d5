// SPDX-License-Identifier: MIT
// What the path of a URL means as a path of files. static_files uses it; the kernel checks the same again.
#pragma once

#include <leat/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

// "/a%20b/c" -> "a b/c", "/a/" -> "a/", "/" -> "". Nothing for what names no file: a segment that is empty,
// "." or "..", or that has a slash, a backslash or a zero once it is decoded; one that is not encoded
// rightly; and, unless `dot_files`, one that begins with a dot, but for ".well-known".
[[nodiscard]] std::optional<std::string> static_path(std::string_view path, bool dot_files);

// The status for a file that could not be opened: 404 or 403. 0 for a failure that is not the client's
// affair.
[[nodiscard]] int status_of_open(std::error_code why) noexcept;

// Where a folder is that was asked for by `target`, without its last slash. It is relative: a path that
// begins with two slashes would lead to another host.
[[nodiscard]] std::string folder_location(std::string_view target);

}  // namespace leat::http::detail
