// SPDX-License-Identifier: MIT
// fibre: a function on a stack of its own. The coroutine that has it, the pump (blocking.hpp), enters it; the
// function runs until it has to wait, and leaves.
//
// Theory of operation. The scheduler does not know of fibres. A wait in a fibre suspends the pump, whose
// frame is this_thread.current while the fibre runs, on whatever is waited for, and leaves; the pump's
// await_ready says no then, so the pump is suspended, and the loop resumes it when that wait is over.
// What ends as cancelled while the fibre awaits it unwinds as ever, up to the pump: the scope of the fibre,
// which the pump has entered, absorbs that, and the fibre hears of it (await.hpp). Its other waits always end
// with a result (fibre_wait.hpp).
// Invariant: a fibre stays on its thread. It ends before its pump does: nothing destroys the pump before.
#pragma once

#include <leat/core/frame.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/core/task_state.hpp>
#include <leat/core/wait.hpp>
#include <leat/fibre/core/context.hpp>
#include <leat/fibre/core/fibre_stack.hpp>
#include <leat/fibre/core/fibre_wait.hpp>
#include <leat/fibre/core/stack_switch.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace leat::detail {

// What __cxa_get_globals() gives: the exceptions that are being handled, and how many are being thrown.
struct exception_state {
    void* caught = nullptr;
    unsigned uncaught = 0;
};
[[nodiscard]] exception_state& exceptions_of_thread() noexcept;

// The descriptor on which a call of the fibre to read had to wait last: the next one is expected to wait, too
// (hooks/core/descriptor_call.hpp).
struct drained_descriptor {
    int descriptor = -1;
    std::uint8_t guesses = 0;  // so many calls in a row wait before they try
    std::uint8_t guesses_left = 0;
    unsigned unlimited_since = 0;  // the number of changed limits when it had no time limit; 0: not known
};

extern "C" [[noreturn]] void leat_fibre_main(fibre& self) noexcept;

class fibre {
public:
    using body_function = void (*)(void* argument) noexcept;

    // On a stack of at least `size` bytes, at whose top it stands itself. Throws std::bad_alloc.
    [[nodiscard]] static fibre& make(std::size_t size, body_function body, void* argument);
    // Enters the scope of the fibre, in its pump, which is `pump`; and leaves it, once the fibre has ended.
    void enter_scope(frame& pump) noexcept {
        scope_.attach(*this_thread.task->innermost);
        scope_.enter(*this_thread.task);
        scope_.entered_by = &pump;
    }
    void leave_scope() noexcept {
        scope_.leave();
        scope_.detach();
    }
    // It has ended.
    void release() noexcept;
    fibre(const fibre&) = delete;
    fibre& operator=(const fibre&) = delete;

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    // Runs it until it waits or has ended.
    [[gnu::always_inline]] inline void enter() noexcept;
    // Called in it: goes back to who has entered it, until it is entered again.
    [[gnu::always_inline]] inline void leave() noexcept;

    // A call was refused, as the scope is cancelled. Gives how often that was so.
    unsigned note_refusal() noexcept { return ++refusals_; }
    [[nodiscard]] bool refused() const noexcept { return refusals_ != 0; }
    // Whether the last wait was unwound, up to the scope of the fibre; and the scope as it was before.
    [[nodiscard]] bool was_unwound() const noexcept { return scope_.absorbed; }
    void go_on_after_unwinding() noexcept {
        scope_.absorbed = false;
        scope_.enter(*this_thread.task);
        scope_.entered_by = this_thread.current;
    }

    [[nodiscard]] const fibre_stack& stack() const noexcept { return stack_; }
    [[nodiscard]] drained_descriptor& drained() noexcept { return drained_; }

private:
    fibre(const fibre_stack& stack, body_function body, void* argument) noexcept;
    ~fibre() = default;
    friend void leat_fibre_main(fibre& self) noexcept;

    static std::size_t calls_of(const void* self, std::span<void*> into) noexcept;

    native_scope scope_{this, calls_of};
    context inside_;
    context outside_;
    exception_state* exceptions_;  // the thread's
    exception_state kept_;         // the fibre's, while it does not run
    int& errno_;                   // the thread's
    int error_ = 0;                // the fibre's, the same
    bool ended_ = false;
    unsigned refusals_ = 0;
    fibre* hooked_;  // of fibre_place, while it does not run
    body_function body_;
    void* argument_;
    fibre_stack stack_;
    drained_descriptor drained_;
    [[no_unique_address]] watched_stack watched_inside_;
    [[no_unique_address]] watched_stack watched_outside_;
};

inline void fibre::enter() noexcept {
    const fibre_place place = std::exchange(this_fibre, fibre_place{this, hooked_});
    const exception_state exceptions = std::exchange(*exceptions_, kept_);
    const int error = std::exchange(errno_, error_);
    switch_stack(outside_, watched_outside_, inside_, watched_inside_, false);
    error_ = std::exchange(errno_, error);
    kept_ = std::exchange(*exceptions_, exceptions);
    hooked_ = std::exchange(this_fibre, place).hooked;
}

inline void fibre::leave() noexcept {
    switch_stack(inside_, watched_inside_, outside_, watched_outside_, ended_);
}

// Suspends the task for `leaf`, which ends with a result, and goes on when that is over.
void wait_in_fibre(wait& leaf) noexcept;

}  // namespace leat::detail
