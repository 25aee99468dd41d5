// SPDX-License-Identifier: MIT
// columns: text on a terminal, measured by the columns that it takes there (wcwidth(3)) and not by bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fetch {

// Of text that is printable (text.hpp). Wide characters take two, combining ones none.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// At most so many columns: what does not fit is left out of the middle, with "..." in its place, or with the
// character U+2026.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t columns, bool unicode);

// The same, and spaces behind it up to exactly so many columns.
[[nodiscard]] std::string fill_to(std::string_view text, std::size_t columns, bool unicode);

}  // namespace fetch
