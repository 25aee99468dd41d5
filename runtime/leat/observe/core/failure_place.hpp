// SPDX-License-Identifier: MIT
// failure_place: where in the user's code the task of this thread is, for the line that a failed check()
// prints.
//
// Of a running frame only its latest co_await is known: the place is "at or after" that. Frames of the
// library's own coroutines, such as with_task_group, are skipped.
#pragma once

#include <cstddef>
#include <span>

namespace leat::detail {

// Writes "; in task 2 "ann" spawned at x.cpp:8, at or after x.cpp:14", as far as there is room, and returns
// its length; 0 outside of tasks. Allocates nothing.
std::size_t write_place(std::span<char> text) noexcept;

}  // namespace leat::detail
