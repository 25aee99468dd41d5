// SPDX-License-Identifier: MIT
// What a client says of content codings in Accept-Encoding (RFC 9110 12.5.3). static_files uses it.
#pragma once

#include <leat/http/headers.hpp>

#include <string_view>

namespace leat::http::detail {

// How much the client wants `coding`: 0, not at all, to 1000. What is malformed does not count.
[[nodiscard]] int wish_for(const headers& fields, std::string_view coding) noexcept;

}  // namespace leat::http::detail
