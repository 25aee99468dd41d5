// SPDX-License-Identifier: MIT
// framing_limit: how long a line or a message may be where no other limit is given; and whether the last line
// of a stream needs an end.
#pragma once

#include <cstddef>

namespace leat {

// The longest line or message where no other limit is given: one MiB.
inline constexpr std::size_t framing_limit = std::size_t{1} << 20;

// Whether the last line of a stream may end without a newline. It is a line in a text; in a protocol it is a
// message that was cut off.
enum class last_line : bool { may_be_open, must_end };

}  // namespace leat
