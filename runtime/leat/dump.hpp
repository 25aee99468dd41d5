// SPDX-License-Identifier: MIT
// dump: what every task waits for, as text: who spawned it, the wait, and the chain of co_awaits with
// file and line. Costs nothing until it is asked for.
#pragma once

#include <string>

namespace leat {

class scheduler;

// All tasks of `loop`, one paragraph each, children indented below their owners.
[[nodiscard]] std::string dump_tasks(scheduler& loop);

// The same of this thread's scheduler.
[[nodiscard]] std::string dump_tasks();

}  // namespace leat
