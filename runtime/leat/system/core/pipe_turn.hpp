// SPDX-License-Identifier: MIT
// pipe_turn: one task at a time uses an end of a pipe; for pipe.cpp. A task that has been cancelled and has
// not unwound yet does not count, but keeps its place: the next task waits behind it, and then gets the bytes
// that it gives back.
// Invariant: pipe_state::user is set from the end of a pipe_turn to the end of the pipe_use that follows it.
#pragma once

#include <leat/core/scheduler.hpp>
#include <leat/system/pipe.hpp>

#include <utility>

namespace leat::detail {

// co_await makes the task the user of the end. As every wait it never returns in a task that is cancelled.
class [[nodiscard]] pipe_turn : public awaiter_base, wait {
public:
    explicit pipe_turn(pipe_state& pipe) noexcept : wait(turn_kind), pipe_(pipe) {}

    bool await_ready() noexcept {
        task_state& task = *this_thread.task;
        if (task.cancelled()) {
            end = wait_end::cancelled;
            return false;
        }
        if (const task_state* const user = pipe_.user; user != nullptr) {
            check(user->home == task.home && user->cancelled() && pipe_.next == nullptr,
                  "two tasks use one end of a pipe at once");
            return false;
        }
        pipe_.user = &task;
        end = wait_end::finished;
        return task.spend_budget();
    }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        if (end == wait_end::pending) {
            pipe_.next = this;
        }
        scheduler::suspend(waiter.promise(), *this);
    }
    void await_resume() const noexcept {}

private:
    static bool leave(wait& self) noexcept {
        static_cast<pipe_turn&>(self).pipe_.next = nullptr;
        return true;
    }
    static inline constinit const wait_kind turn_kind{"its turn at a pipe", leave};

    pipe_state& pipe_;
};

// The use of an end by the task that has awaited its turn. Its destructor lets the next task use the end.
class pipe_use {
public:
    explicit pipe_use(pipe_state& pipe) noexcept : pipe_(pipe) {}
    pipe_use(const pipe_use&) = delete;
    pipe_use& operator=(const pipe_use&) = delete;
    ~pipe_use() {
        wait* const next = std::exchange(pipe_.next, nullptr);
        pipe_.user = next != nullptr ? next->task : nullptr;
        if (next != nullptr) {
            this_thread.loop->finish(*next);
        }
    }

private:
    pipe_state& pipe_;
};

}  // namespace leat::detail
