// SPDX-License-Identifier: MIT
// The parameters behind a value, as in `form-data; name="a"` (RFC 9110 5.6.6, RFC 7578). multipart uses them.
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

}  // namespace leat::http::detail
