// SPDX-License-Identifier: MIT
// dump: what every task waits for, as a tree by owner: who spawned it, the wait and its age, the deadline
// that it is under, and the chain of co_awaits with file and line. It costs a program nothing until it is
// asked for; then time and memory in proportion to the number of tasks.
//
// An age counts from the start of the turn in which the wait began. The kernel is asked for addresses. The
// progress of an operation is what the backend knows: io_uring tells it only at the end.
#pragma once

#include <string>

namespace leat {

class scheduler;

struct dump_options {
    // Also the coroutines and groups of the library itself, such as those of serve() and with_task_group.
    bool all_frames = false;
};

// All tasks of `loop`, a paragraph each: the task, then the places where it awaits, the innermost first.
// Before a blocking() stand the calls of its function, as names, which a program knows of what it exports
// (link it with -rdynamic). What a task owns is indented below it. Throws std::bad_alloc.
[[nodiscard]] std::string dump_tasks(scheduler& loop, dump_options options = {});
// The same of this thread's scheduler; misuse outside run().
[[nodiscard]] std::string dump_tasks(dump_options options = {});

// The same as JSON (RFC 8259): {"backend": ..., "tasks": [...]}. Each task is an object with
//   "kind": "task", "id", "name" (if any), "spawned_at": {"file", "line", "function"},
//   "state": "running", "ready", "waiting" or "unwinding",
//   "wait": {"for", "age_ns", and what else is known: "descriptor", "local", "peer", "bytes_done",
//            "bytes_wanted", "deadline_ns", "task", "object", "held_by"}, if it waits,
//   "deadline_ns": until the first deadline of a scope that it is inside, "cancelled": {"reason", "by"},
//   "awaits": the whole chain, innermost first, of {"function", "file", "line"},
//   "native": the calls of functions that run by blocking(), innermost first, as text, if there are any,
//   "children": what it owns: tasks, and groups, which are {"kind": "group", "size", "children", ...}.
// Times are nanoseconds from now.
[[nodiscard]] std::string dump_tasks_json(scheduler& loop);
[[nodiscard]] std::string dump_tasks_json();

}  // namespace leat
