// SPDX-License-Identifier: MIT
// media_type_of: the media type of a file by the extension of its name, for Content-Type.
//
//   page.headers.add("Content-Type", leat::http::media_type_of("index.html"));   // text/html; charset=utf-8
//
// The table is leat's own, of what the web has: an answer does not depend on which packages the machine has
// and what they call a type this year, and nothing is read at the start. static_options::media_type takes
// another function.
#pragma once

#include <string_view>

namespace leat::http {

// "application/octet-stream" for an extension that is not known, or without one. Case does not count. Text is
// said to be UTF-8.
[[nodiscard]] std::string_view media_type_of(std::string_view file_name) noexcept;

}  // namespace leat::http
