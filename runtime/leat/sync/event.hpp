// SPDX-License-Identifier: MIT
// event: a flag that tasks of one scheduler wait for.
#pragma once

#include <leat/core/wait_queue.hpp>

namespace leat {

class event {
public:
    // Wakes all tasks that wait. Later waits end at once, until reset().
    void set() noexcept {
        set_ = true;
        waiting_.wake_all();
    }
    void reset() noexcept { set_ = false; }
    [[nodiscard]] bool is_set() const noexcept { return set_; }

    // co_await event.wait(): goes on once set() has been called, also when reset() came right after it.
    // Cancelled: nothing has happened.
    class [[nodiscard]] wait_awaiter : public detail::leaf_awaiter<wait_awaiter> {
    public:
        explicit wait_awaiter(event& awaited) noexcept : leaf_awaiter(event_kind), awaited_(&awaited) {}
        bool take_now() const noexcept { return awaited_->set_; }
        void enqueue() noexcept { awaited_->waiting_.push_back(*this); }
        void await_resume() const noexcept {}

    private:
        event* awaited_;
    };
    wait_awaiter wait() noexcept { return wait_awaiter(*this); }

private:
    static inline constinit const wait_kind event_kind{"an event", detail::wait_queue::leave};
    detail::wait_queue waiting_;
    bool set_ = false;
};

}  // namespace leat
