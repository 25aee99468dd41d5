// SPDX-License-Identifier: MIT
// strictness: the two policies by which HTTP/1 is read. A request may come from an attacker, through a proxy
// that reads it in another way: what the RFCs do not allow is refused. A response comes from the server that
// the program chose: what other clients accept is accepted, and parser.hpp lists what is refused even then.
#pragma once

#include <cstdint>

namespace leat::http::detail {

enum class strictness : std::uint8_t { strict, lenient };

}  // namespace leat::http::detail
