// SPDX-License-Identifier: MIT
// describe_blocking: which calls of the C library are interposed in this program, and by whom, as text for a
// log.
#pragma once

#include <string>

namespace leat {

// A line that names the calls that are interposed, and the file that does it; one that names the file of the
// real calls; and one for each call that is not interposed, because the program was linked wrongly.
[[nodiscard]] std::string describe_blocking();

}  // namespace leat
