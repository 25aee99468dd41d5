// SPDX-License-Identifier: MIT
// code_name: the function that an address of code is in, as text, for dumps and reports. Best effort: a
// program knows the names of what it exports (-rdynamic).
#pragma once

#include <string>

namespace leat::detail {

// Its name, readable; else the file and the offset in it, for addr2line. Throws std::bad_alloc.
[[nodiscard]] std::string code_name(const void* address);

}  // namespace leat::detail
