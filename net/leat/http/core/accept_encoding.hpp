// SPDX-License-Identifier: MIT
// What a client says of content codings in Accept-Encoding (RFC 9110 12.5.3). static_files and compress()
// use it.
#pragma once

#include <leat/http/headers.hpp>

#include <array>
#include <string_view>

namespace leat::http::detail {

// How much the client wants `coding`: 0, not at all, to 1000. What is malformed does not count.
[[nodiscard]] int wish_for(const headers& fields, std::string_view coding) noexcept;

// Those of `offered` that the client takes, most wanted first, and empty names behind them. Of codings that
// are wanted as much, the one that is offered first.
using three_codings = std::array<std::string_view, 3>;
[[nodiscard]] three_codings wanted_codings(const headers& fields, const three_codings& offered) noexcept;

}  // namespace leat::http::detail
