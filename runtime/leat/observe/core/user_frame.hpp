// SPDX-License-Identifier: MIT
// user_frame: which frames of a task are in coroutines of the user, who looks for his own lines: those of the
// library's coroutines, such as with_task_group, are left out of errors and dumps.
#pragma once

#include <leat/core/frame.hpp>

#include <source_location>

namespace leat::detail {

// Whether the library has the place, as the compiler was given its file: a source in its tree, or a header
// where it is installed.
[[nodiscard]] bool is_in_library(const std::source_location& where) noexcept;

// The innermost frame from `from` outwards that is in a coroutine of the user and has come to a co_await;
// null when there is none before `end`.
[[nodiscard]] const frame* innermost_of_user(const frame* from, const frame* end = nullptr) noexcept;

}  // namespace leat::detail
