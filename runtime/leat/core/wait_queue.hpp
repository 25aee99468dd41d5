// SPDX-License-Identifier: MIT
// wait_queue: tasks that wait, first in, first out, for another task of the same scheduler. Everything in
// sync/ is built on it. Waiting allocates nothing. A cancelled wait leaves the queue; a wait that was woken
// before the cancellation ends with its result, so nothing is lost.
// Invariant: it belongs to one scheduler while tasks wait in it, and is empty when it is destroyed.
#pragma once

#include <leat/core/leaf_awaiter.hpp>

namespace leat {

namespace detail {

class wait_queue {
public:
    wait_queue() noexcept = default;
    wait_queue(const wait_queue&) = delete;
    wait_queue& operator=(const wait_queue&) = delete;
    ~wait_queue() { check(waiting_.empty(), "nobody waits for what is destroyed"); }

    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    [[nodiscard]] wait& front() noexcept { return waiting_.front(); }
    // The first, the one after `at`; null after the last.
    [[nodiscard]] wait* first() noexcept { return waiting_.first(); }
    [[nodiscard]] wait* next(wait& at) noexcept { return waiting_.next(at); }

    void push_back(wait& last) noexcept {
        check(empty() || owner_ == this_thread.loop, "tasks that wait together are on one thread");
        owner_ = this_thread.loop;
        waiting_.push_back(last);
    }
    // Takes the one that has waited longest out, for the caller to end its wait.
    [[nodiscard]] wait& pop_front() noexcept {
        check(owner_ == this_thread.loop, "waiting tasks are woken on their own thread");
        return waiting_.pop_front();
    }
    // Ends the wait of the one that has waited longest, if there is one.
    bool wake_one() noexcept {
        if (empty()) {
            return false;
        }
        wait& first = pop_front();
        owner_->finish(first);
        return true;
    }
    // Ends the wait of `waiter`, which waits here.
    void wake(wait& waiter) noexcept {
        check(owner_ == this_thread.loop, "waiting tasks are woken on their own thread");
        waiter.unlink();
        owner_->finish(waiter);
    }
    void wake_all() noexcept {
        while (wake_one()) {
        }
    }

    // For the wait_kind of waits that a cancellation only takes out of the queue.
    static bool leave(wait& self) noexcept {
        self.unlink();
        return true;
    }

private:
    list<wait> waiting_;
    scheduler* owner_ = nullptr;  // of the waiting tasks
};

}  // namespace detail

}  // namespace leat
