// SPDX-License-Identifier: MIT
// wait: the one thing a suspended task waits for; the leaf of its chain of frames. An operation, a
// sleep, a place in a wait queue and a join are each a wait, embedded in the frame that awaits.
// Invariant: a wait ends exactly once, and only then is its task resumed or unwound. `cancel` is a request to
// end: a wait that succeeds all the same is delivered.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/list.hpp>

#include <cstdint>

namespace leat {

class task_state;
struct operation;
struct wait;

// What a wait tells of itself for a dump (dump.hpp).
struct wait_facts {
    const operation* asked = nullptr;     // of the kernel
    time_point deadline = never;          // when it ends by itself
    const task_state* awaited = nullptr;  // whose end it waits for
    const void* object = nullptr;         // the mutex, channel, ...: one address, one object
    std::uint32_t held_by = 0;            // the id of the task that has what it waits for; 0: unknown
};

// What a wait is, for cancelling it and for explaining it. One static object for each kind.
struct wait_kind {
    const char* name;  // as a dump shows it: "recv", "sleep", "join"
    // Asks `self` to end as cancelled. True: it has ended now. False: it will end, perhaps with a result. It
    // never resumes, destroys or runs user code.
    bool (*cancel)(wait& self) noexcept;
    // Adds what `self` knows to `facts`; null for what has nothing to add to its name.
    void (*explain)(const wait& self, wait_facts& facts) noexcept = nullptr;
    // Called when `self` has ended as cancelled, before its task unwinds and before any other task runs; null
    // if there is nothing to do. False: it failed, and the wait ends with that error as its result.
    bool (*give_up)(wait& self) noexcept = nullptr;
    // Begins `self` again, an operation that has its_turn set (operation.hpp). True: it has ended. Null: it
    // is submitted unchanged.
    bool (*begin)(wait& self) noexcept = nullptr;
    // Hears that `self` has completed, or has its turn: an operation that no task is suspended on, because it
    // is a part of another wait.
    void (*part_completed)(wait& self) noexcept = nullptr;
};

enum class wait_end : std::uint8_t {
    pending,
    finished,   // the result is delivered: the task is resumed
    cancelled,  // the wait never returns: the task unwinds
};

struct wait : list_link {
    explicit wait(const wait_kind& what) noexcept : kind(&what) {}
    // The same wait, which has not begun, elsewhere.
    wait(wait&& other) noexcept : list_link(), kind(other.kind) {
        check(other.fresh(), "what is awaited stays where it is");
    }

    // For how many waits of its task it counts when it is over at once.
    [[nodiscard]] static int cost() noexcept { return 1; }
    // Whether it has not been awaited yet.
    [[nodiscard]] bool fresh() const noexcept { return end == wait_end::pending && task == nullptr; }

    const wait_kind* kind;
    task_state* task = nullptr;  // the waiting task, while suspended
    wait_end end = wait_end::pending;
};

}  // namespace leat
