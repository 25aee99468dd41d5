// SPDX-License-Identifier: MIT
// scope_node: a part of a task, or of a tree of tasks, that can be cancelled as one. Nodes form a tree across
// awaits, groups and tasks: the parent of a node is the scope it was entered in; the parent of a task's own
// node is that of its group. timeout, cancel_scope, groups and handles are built on it.
//
// Theory of operation. cancel() marks the scope and every scope below it that no shield protects, and asks
// the leaf of each task suspended there to end. Nothing is resumed, destroyed or thrown by that. When the
// leaf has ended as cancelled, the scheduler destroys the task's frames from the leaf outwards until it
// comes to a frame that entered a scope which absorbs the cancellation (scheduler.cpp, unwind); a leaf that
// ended with a result is delivered instead, and the task's next wait is the cancelled one.
// Invariant: `cancelled` is true exactly when this scope, or an enclosing one not behind a shield, was
// cancelled. A task's current scope is its innermost.
#pragma once

#include <leat/cancel_reason.hpp>
#include <leat/core/small_list.hpp>
#include <leat/core/timers.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace leat {

class task_state;
struct frame;

namespace detail {

// What a scope does when an unwinding task comes to it.
enum class scope_kind : std::uint8_t {
    plain,     // absorbs its own cancellation, unless an enclosing scope it can see is cancelled too
    catching,  // absorbs always; the coroutine that entered it decides, and its next wait goes on unwinding
    binding,   // as plain; a task_local is bound inside (bindings.hpp)
    task,      // all of a task, whose task_state it is: unwinding has no further to go
};

struct scope_node : small_list_link {
    explicit scope_node(scope_kind what = scope_kind::plain, bool shielded = false) noexcept
        : kind(what), shield(shielded) {}

    // Cancels this scope; does nothing when it was cancelled before. Allocates nothing.
    void cancel(cancel_reason why) noexcept;
    // Why waits inside end as cancelled: the reason of the nearest scope around that was cancelled itself.
    [[nodiscard]] cancel_reason why() const noexcept { return reason_; }
    // Why this scope itself was cancelled.
    [[nodiscard]] cancel_reason own_reason() const noexcept {
        return cancelled_itself ? reason_ : cancel_reason::none;
    }
    // Tells the tasks in this scope that they should end. A task in a wait that allows it (`yields`) is
    // cancelled as a whole; another one when it comes to such a wait. Until then its scopes with
    // `ends_at_stop` are cancelled. Allocates nothing.
    void stop() noexcept;
    // Whether this scope, or one around it, was told to stop.
    [[nodiscard]] bool told_to_stop() const noexcept;
    // Cancels the task around this scope if it was told to stop; called when a scope that yields is entered.
    void yield_to_stop() noexcept;
    // Ends every wait below this scope, whatever shields it: for when nothing could ever wake them.
    void end_all_waits() noexcept;

    // Attaches this scope, and all below it, to `above`, so that a cancellation of that reaches it; and
    // detaches it.
    void attach(scope_node& above) noexcept {
        link_below(above);
        if (above.cancelled && !shield) [[unlikely]] {
            mark();
        }
    }
    // The same but for the cancellation.
    void link_below(scope_node& above) noexcept {
        parent = &above;
        above.children.push_back(*this);
    }
    void detach() noexcept {
        if (parent != nullptr) {
            parent->children.remove(*this);
            parent = nullptr;
        }
    }

    // The task that is inside; null if there is none. In task_state.hpp.
    [[nodiscard]] inline task_state* task_inside() const noexcept;
    [[nodiscard]] bool is_task() const noexcept { return kind == scope_kind::task; }
    // The frame whose co_await entered it; null for all of a task.
    [[nodiscard]] inline frame* host() const noexcept;

    // Whether an unwinding that comes to this scope ends here.
    [[nodiscard]] bool absorbs() const noexcept {
        return kind == scope_kind::catching ||
               (cancelled_itself && (shield || parent == nullptr || !parent->cancelled));
    }

    // Marks this scope and those below as cancelled, and cancels the waits of their tasks.
    void mark() noexcept;

    scope_node* parent = nullptr;
    small_list<scope_node> children;  // in the order they were entered or spawned

private:  // here, so that a task has its own marks in the word of those below
    void mark_one() noexcept;

    cancel_reason reason_;  // its own, or else that of the scope around with which it is cancelled

public:
    scope_kind kind;
    bool shield;                    // an enclosing scope's cancellation does not reach inside
    bool cancelled = false;         // waits inside end as cancelled
    bool timed : 1 = false;         // it is a deadline_scope
    bool stopped : 1 = false;       // the tasks in it were told that they should end
    bool yields : 1 = false;        // a stop of the scope that the task inside belongs to cancels that task
    bool ends_at_stop : 1 = false;  // a stop of a scope around it cancels this one
    bool absorbed : 1 = false;      // an unwinding ended here: the host is resumed without a result
    bool cancelled_itself : 1 = false;
    bool native : 1 = false;      // it is a native_scope
    std::uint8_t unused : 1 = 0;  // all bits are given: the byte is written without being read
};

// A part of a task, entered by a co_await in it; or a group, which may be entered as well.
struct entered_scope : scope_node {
    using scope_node::scope_node;

    // Makes this scope, which is attached below it, the innermost of `entering`; and back again. In
    // task_state.hpp.
    inline void enter(task_state& entering) noexcept;
    inline void leave() noexcept;
    [[nodiscard]] bool entered() const noexcept { return inside != nullptr; }

    task_state* inside = nullptr;
    frame* entered_by = nullptr;
};

inline frame* scope_node::host() const noexcept {
    return is_task() ? nullptr : static_cast<const entered_scope*>(this)->entered_by;
}

// A scope that is cancelled when its deadline passes.
struct deadline_scope : entered_scope, timer {
    explicit deadline_scope(time_point when, bool shielded = false, expired_function passed = pass) noexcept
        : entered_scope(scope_kind::plain, shielded), timer(passed) {
        deadline = when;
        timed = true;
    }

private:
    static void pass(timer& self) noexcept;
};

// A scope inside which an ordinary function runs on a stack of its own (fibre.hpp); for dumps.
struct native_scope : entered_scope {
    // Writes to `into` where the calls of `function` stand, the innermost first, and gives how many. Called
    // while its task does not run.
    using calls_function = std::size_t (*)(const void* function, std::span<void*> into) noexcept;

    native_scope(const void* runs, calls_function ask) noexcept
        : entered_scope(scope_kind::catching), function(runs), calls(ask) {
        native = true;
    }

    const void* function;
    calls_function calls;
};

}  // namespace detail

}  // namespace leat
