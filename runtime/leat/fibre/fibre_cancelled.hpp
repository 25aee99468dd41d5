// SPDX-License-Identifier: MIT
// fibre_cancelled: thrown by leat::await in a cancelled scope, so that the blocking function returns.
#pragma once

namespace leat {

// No std::exception, so that a handler for those does not take it. Whoever catches it all the same does no
// harm: the next call that would wait is refused, too, and what the function returns is dropped.
struct fibre_cancelled {};

}  // namespace leat
