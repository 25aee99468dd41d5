// SPDX-License-Identifier: MIT
// end_with_parent: ends a worker process whose supervisor has died, also one that hangs.
//
// A parent-death signal (prctl(2)) would not do: the kernel forgets it when the process changes its user, as
// servers do once their socket is bound, and a program that hangs does not heed it.
#pragma once

#include <leat/clock.hpp>

#include <sys/types.h>

namespace leat::detail {

// When `parent` has ended, this process, its child, gets SIGTERM, and SIGKILL if it is there after `grace`.
// A thread waits for that. Throws std::system_error when it cannot be started.
void end_with_parent(pid_t parent, duration grace);

}  // namespace leat::detail
