// SPDX-License-Identifier: MIT
// UTF-8 (RFC 3629): whether bytes are well-formed. For the dumps as JSON, and for texts that peers send.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat::detail {

// The length of the well-formed sequence that `text` begins with; 0: none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

// Whether all of `text` is well-formed.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace leat::detail
