// SPDX-License-Identifier: MIT
// join_wait: the wait for the end of another task; what co_await handle and join() are built on (spawn.hpp).
// Invariant: it keeps the state of the task it waits for, and is in the joiners of that while it waits.
#pragma once

#include <leat/core/leaf_awaiter.hpp>
#include <leat/core/reference.hpp>
#include <leat/core/task_state.hpp>

#include <utility>

namespace leat::detail {

// A wait for the end of another task.
struct join_wait : wait, joiner {
    explicit join_wait(task_state& awaited) noexcept : join_wait(reference<task_state>::share(awaited)) {}
    explicit join_wait(reference<task_state> awaited) noexcept
        : wait(join_kind), joiner(wake), target(std::move(awaited)) {}
    join_wait(join_wait&& other) noexcept
        : wait(std::move(other)), joiner(wake), target(std::move(other.target)) {}

    bool ready() noexcept {
        check(target.get() != this_thread.task, "a task does not await itself");
        if (begins_cancelled(*this)) {
            end = wait_end::cancelled;
            return false;
        }
        if (!target->done) {
            target->check_home();
            return false;
        }
        end = wait_end::finished;
        return detail::spend_budget();
    }
    void suspend(frame& waiter) noexcept {
        if (end == wait_end::pending) {
            target->joiners.push_back(*this);
        }
        scheduler::suspend(waiter, *this);
    }

    static void wake(joiner& self) noexcept { this_thread.loop->finish(static_cast<join_wait&>(self)); }
    static bool stop(wait& self) noexcept {
        auto& given_up = static_cast<join_wait&>(self);
        given_up.target->joiners.remove(given_up);
        return true;
    }
    static void explain(const wait& self, wait_facts& facts) noexcept {
        facts.awaited = static_cast<const join_wait&>(self).target.get();
    }
    static inline constinit const wait_kind join_kind{"another task", stop, explain};
    reference<task_state> target;
};

// Waits for the end of a task without asking how it ended.
struct [[nodiscard]] end_awaiter : awaiter_of<end_awaiter>, join_wait {
    explicit end_awaiter(task_state& awaited) noexcept : join_wait(awaited) {}
    bool await_ready() noexcept { return ready(); }
    void await_resume() const noexcept {}
};

}  // namespace leat::detail
