// SPDX-License-Identifier: MIT
// failure_place: where in the program of the user the task of this thread is, for the line that a failed
// check() prints. The rule names the library's own line, and the user looks for his.
//
// What is known of a frame that runs is its latest co_await, begun or over: the place is "at or after" that.
// Frames of the library's own coroutines, such as with_task_group, are left out.
#pragma once

#include <cstddef>
#include <span>

namespace leat::detail {

// Writes "; in task 2 "ann" spawned at x.cpp:8, at or after x.cpp:14", as far as there is room, and returns
// its length; 0 outside of tasks. Allocates nothing.
std::size_t write_place(std::span<char> text) noexcept;

}  // namespace leat::detail
