// SPDX-License-Identifier: MIT
// leaf_awaiter: what is awaited and is itself one wait, the leaf of its task's chain of frames: an operation,
// a sleep, a place in a queue. How each of them begins is written here, once.
// Invariant: nothing is begun in a task that is cancelled already.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/scheduler.hpp>

#include <concepts>
#include <utility>

namespace leat::detail {

// Whether the task that begins `begun` is cancelled: then nothing begins, and the wait ends so.
[[nodiscard]] inline bool begins_cancelled(const wait& begun) noexcept {
    check(this_thread.task != nullptr, "this is awaited by a task");
    check(begun.fresh(), "the wait was awaited before");
    return this_thread.task->cancelled();
}

// A wait that begins when it is awaited. `Self` has
//   bool take_now()     begins. True: it is over at once. What never is gives never_ready()
//   void enqueue()      it is not, and the task is about to wait: sees to it that somebody ends the wait
// of which the second may be missing, and so may
//   void begin_cancelled() noexcept         instead of take_now(), in a task that is cancelled
//   static constexpr bool always_suspends   also when it is over at once: the others have a turn first
template <typename Self, std::derived_from<wait> Wait = wait>
class leaf_awaiter : public awaiter_of<Self>, protected Wait {
public:
    static constexpr bool always_suspends = false;

    bool await_ready() {
        if (begins_cancelled(*this)) [[unlikely]] {
            self().begin_cancelled();
            return false;
        }
        if (!self().take_now()) {
            return false;
        }
        this->end = wait_end::finished;
        if constexpr (Self::always_suspends) {
            return never_ready();
        } else {
            return detail::spend_budget(this->cost());
        }
    }
    void suspend(frame& waiter) noexcept(noexcept(std::declval<Self&>().enqueue())) {
        if (this->end == wait_end::pending) {
            self().enqueue();
        }
        scheduler::suspend(waiter, *this);
    }
    void enqueue() const noexcept {}
    void begin_cancelled() noexcept { this->end = wait_end::cancelled; }

protected:
    using Wait::Wait;

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace leat::detail
