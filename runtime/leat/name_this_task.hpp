// SPDX-License-Identifier: MIT
// name_this_task: the running task names itself for dumps and reports, as handle::name does from outside.
//
//   leat::name_this_task("session " + std::to_string(number));
//
// The last name counts. A task that it awaits runs as a part of it; one that it spawns has no name yet.
#pragma once

#include <leat/core/scheduler.hpp>

#include <string_view>

namespace leat {

// `text` is copied. Throws std::bad_alloc; then the name is what it was. Misuse outside of tasks.
inline void name_this_task(std::string_view text) {
    check(this_thread.task != nullptr, "a task names itself");
    this_thread.task->set_name(text);
}

}  // namespace leat
