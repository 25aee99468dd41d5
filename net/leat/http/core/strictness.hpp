// SPDX-License-Identifier: MIT
// strictness: the two policies by which HTTP/1 is read. A request comes from anybody, perhaps through a proxy
// that reads it in another way: what the RFCs do not allow is refused. A response comes from the server that
// was asked: what other clients take is taken, and parser.hpp lists what is refused all the same.
#pragma once

#include <cstdint>

namespace leat::http {

enum class strictness : std::uint8_t { strict, lenient };

}  // namespace leat::http
