// SPDX-License-Identifier: MIT
// frame: what the runtime knows of one coroutine of ours; the base of its promise. The frames of a task form
// a chain from its outermost coroutine to the one that waits. Frames are resumed and destroyed by the
// scheduler's loop only.
// Invariant: an awaited frame is owned by the chain: it is destroyed once, when its result has been
// taken or when the task unwinds, and never while an operation of it is in flight.
#pragma once

#include <coroutine>
#include <cstdint>
#include <source_location>
#include <type_traits>

namespace leat {

class scheduler;
class task_state;

struct frame {
    // The coroutine whose promise this is. It is found by the place of the promise in it, which depends on
    // nothing but the alignment: promise types derive from frame alone, and are aligned as it is.
    [[nodiscard]] std::coroutine_handle<> coroutine() noexcept {
        return std::coroutine_handle<frame>::from_promise(*this);
    }

    frame* parent = nullptr;     // the frame that awaits this one; null for a task's outermost
    std::source_location where;  // of the co_await it is suspended at
};

// Of the promise types that frame::coroutine() finds.
template <typename Promise>
inline constexpr bool is_placed_as_frame =
    std::is_base_of_v<frame, Promise> && alignof(Promise) == alignof(frame) &&
    !std::is_polymorphic_v<Promise>;

// What runs on this thread now. `next` is the coroutine to be resumed once the current one has suspended:
// nothing is resumed inside await_suspend, so a chain of any length runs on a constant stack, also where
// the compiler makes no tail calls (g++ below -O2, AddressSanitizer).
struct running {
    frame* next = nullptr;
    // Resumed last: it runs, as long as its task does. Null before the first, and once there is none. While
    // the task unwinds: the one that awaits the frame that is being destroyed.
    frame* current = nullptr;
    task_state* task = nullptr;
    scheduler* loop = nullptr;
    std::uint64_t tick = 0;  // of this turn (ticks.hpp)
    int budget = 0;          // of the step: for how many waits that are over at once the task goes on
    bool unwinding = false;
};

// Small, and found without a call, also in a shared library.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local running this_thread;

// Whether the frames of the current task are being destroyed because it was cancelled; for destructors.
[[nodiscard]] inline bool unwinding() noexcept {
    return this_thread.unwinding;
}

namespace detail {

// Waits that may be over at once, in a row, before a task yields to the others. One that has moved many bytes
// counts for several.
inline constexpr int inline_completions_max = 32;

// Called when an awaited operation has completed at once. False when the task has used up its budget: then it
// goes to the end of the ready queue. `cost`: for how many waits it counts.
[[nodiscard]] inline bool spend_budget(int cost = 1) noexcept {
    this_thread.budget -= cost;
    return this_thread.budget >= 0;
}

// False, which the optimizer cannot know; for the await_ready of what always suspends. Where clang 19 (-O2)
// knows that a wait suspends, it mistakes the way in which the wait ends, to be resumed or to be destroyed,
// for the flag of a std::optional that is emptied after it; that is lost at the next wait, and the coroutine
// ends in the middle of its cleanup.
[[nodiscard]] inline bool never_ready() noexcept {
    bool ready = false;
    asm("" : "+r"(ready));
    return ready;
}

}  // namespace detail

}  // namespace leat
