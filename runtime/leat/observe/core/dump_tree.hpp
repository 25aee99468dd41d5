// SPDX-License-Identifier: MIT
// dump_tree: the tasks and groups of a scheduler in the order of a tree by owner, with the facts about each.
// Used by the two forms of dump (dump.cpp, dump_json.cpp).
//
// The tree of scopes also has the scopes that a task has entered, between the task and what it owns. The walk
// takes the task's deadline and cancellation from them.
#pragma once

#include <leat/core/scope_node.hpp>
#include <leat/core/ticks.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

class scheduler;

namespace detail {

// A task, or a group with tasks in it. Its children are the entries after it that are deeper, up to the
// first that is not.
struct dump_entry {
    task_state* task = nullptr;  // null: a group
    scope_node* group = nullptr;
    std::size_t depth = 0;
    std::size_t size = 0;                   // of a group: its tasks
    time_point deadline = never;            // of a task: the first of those around its wait
    const scope_node* canceller = nullptr;  // the scope whose cancellation its waits end by
};

[[nodiscard]] std::vector<dump_entry> tasks_by_owner(scheduler& loop);

enum class dump_state : std::uint8_t { running, ready, waiting, unwinding };
[[nodiscard]] dump_state state_of(const task_state& task) noexcept;

// What is known of the wait of a task that waits.
struct explained_wait {
    std::string_view what;  // "recv"
    duration age{};
    std::optional<int> descriptor;
    std::string local;  // addresses; empty when there is none
    std::string peer;
    std::optional<std::int64_t> bytes_done;  // of an operation that wants all
    std::optional<std::int64_t> bytes_wanted;
    time_point deadline = never;
    const task_state* awaited = nullptr;
    const void* object = nullptr;
    std::uint32_t held_by = 0;
};
[[nodiscard]] explained_wait explain(const task_state& task, scheduler& loop,
                                     const detail::tick_clock::scale& scale);

// The frame that has awaited the body of `group`; null once that has ended.
[[nodiscard]] const frame* opener_of(const scope_node& group) noexcept;

// The calls of the ordinary function that `pump`, a frame of `task`, which does not run, has on a stack of
// its own, by name, the innermost first; for most frames none.
[[nodiscard]] std::vector<std::string> native_calls(const task_state& task, const frame& pump);

// Whose cancellation it is: "task 3" or "a.cpp:12".
[[nodiscard]] std::string name_of(const scope_node& canceller);

// "0x7f3a..."
[[nodiscard]] std::string address_in_words(const void* object);

[[nodiscard]] std::string place(const std::source_location& where);

}  // namespace detail

}  // namespace leat
