// SPDX-License-Identifier: MIT
// The parameters behind a value, as in `form-data; name="a"` (RFC 9110 5.6.6, RFC 7578). multipart and
// forwarded use them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

// "form-data" of `form-data; name="a"`.
[[nodiscard]] std::string_view main_value(std::string_view field) noexcept;

// The first parameter of that name, whose case does not count. Nothing when there is none, or when the field
// is malformed before it. Between quotes a backslash stands for the quote or the backslash behind it, and
// else for itself: browsers send the names of files so.
[[nodiscard]] std::optional<std::string> parameter_of(std::string_view field, std::string_view name);

// Takes a string in quotes, with which `text` begins, off its front, and gives what it says; nothing when the
// quote at its end is missing.
[[nodiscard]] std::optional<std::string> take_quoted(std::string_view& text);

}  // namespace leat::http::detail
