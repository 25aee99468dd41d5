// SPDX-License-Identifier: MIT
// bystanders: the list of bystanders (bystander.hpp) of this thread's run. The scheduler reads it before it
// reports a deadlock. Internal.
// Invariant: empty outside of run().
#pragma once

#include <leat/core/list.hpp>

#include <cstddef>

namespace leat {

class task_state;

namespace detail {

struct bystander_link : list_link {
    explicit bystander_link(const task_state& which) noexcept : task(which) {}

    const task_state& task;
};

// Timers of bystanders that wake a task under a condition, which is looked at when nothing else could wake
// one: the limit of a connection, while its handler waits for the client.
class conditional_timers : public list_link {
public:
    [[nodiscard]] virtual bool may_wake_task() noexcept = 0;

protected:
    ~conditional_timers() = default;
};

class bystanders {
public:
    void add(bystander_link& one) noexcept {
        tasks_.push_back(one);
        ++count_;
    }
    void remove(bystander_link& one) noexcept {
        one.unlink();
        --count_;
    }
    void add(conditional_timers& some) noexcept { conditional_.push_back(some); }
    void timer_armed() noexcept { ++timers_; }
    void timer_over() noexcept { --timers_; }

    // Of those that are armed.
    [[nodiscard]] std::size_t timers() const noexcept { return timers_; }
    // Whether one of them will wake a task, now that nothing else will.
    [[nodiscard]] bool timer_may_wake_task() noexcept;
    // Whether all `pending` operations belong to bystanders. A bystander that was asked to end does not count
    // as one: the end of the run, or another task, waits for it.
    [[nodiscard]] bool own_all(std::size_t pending) noexcept;

private:
    list<bystander_link> tasks_;
    list<conditional_timers> conditional_;
    std::size_t count_ = 0;
    std::size_t timers_ = 0;
};

// Those of this thread's run.
[[nodiscard]] bystanders& current_bystanders() noexcept;

}  // namespace detail

}  // namespace leat
