// SPDX-License-Identifier: MIT
// What the names of files that are not whole end in. No file that is fetched gets a name that ends so.
#pragma once

#include <string_view>

namespace fetch {

inline constexpr std::string_view unfinished = ".part";
inline constexpr std::string_view note = ".note";  // behind `unfinished`: what is known of such a file

}  // namespace fetch
