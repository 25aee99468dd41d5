// SPDX-License-Identifier: MIT
// sleep, sleep_until, yield and checkpoint: waits for time, for a turn, and for nothing.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/scheduler.hpp>

#include <chrono>

namespace leat {

class [[nodiscard]] sleep_awaiter : public detail::awaiter_of<sleep_awaiter>, wait, timer {
public:
    explicit sleep_awaiter(time_point until) noexcept : wait(sleep_kind), timer(wake_up) { deadline = until; }

    bool await_ready() noexcept {
        check(!armed(), "two tasks await one sleep at once");
        end = this_thread.task->cancelled() ? wait_end::cancelled
              : deadline <= now()           ? wait_end::finished
                                            : wait_end::pending;
        return detail::never_ready();
    }
    void suspend(frame& waiter) {
        if (end == wait_end::pending) {
            current_scheduler().alarms().arm(*this, deadline);
        }
        scheduler::suspend(waiter, *this);
    }
    void await_resume() const noexcept {}

private:
    static void wake_up(timer& self) noexcept {
        current_scheduler().finish(static_cast<sleep_awaiter&>(self));
    }
    static bool cancel(wait& self) noexcept {
        current_scheduler().alarms().disarm(static_cast<sleep_awaiter&>(self));
        return true;
    }
    static void explain(const wait& self, wait_facts& facts) noexcept {
        facts.deadline = static_cast<const sleep_awaiter&>(self).deadline;
    }
    static inline constinit const wait_kind sleep_kind{"sleep", cancel, explain};
};

// Waits until the clock has passed `deadline`, never less. One in the past is a yield; `never` is only
// ended by cancelling.
[[nodiscard]] inline sleep_awaiter sleep_until(time_point deadline) noexcept {
    return sleep_awaiter(deadline);
}

// Waits for at least `length`. A negative length counts as zero.
template <typename Rep, typename Period>
[[nodiscard]] sleep_awaiter sleep(std::chrono::duration<Rep, Period> length) noexcept {
    return sleep_awaiter(after(now(), length));
}

class [[nodiscard]] yield_awaiter : public detail::awaiter_of<yield_awaiter>, wait {
public:
    yield_awaiter() noexcept : wait(yield_kind) {}
    bool await_ready() noexcept {
        end = this_thread.task->cancelled() ? wait_end::cancelled : wait_end::finished;
        return detail::never_ready();
    }
    void suspend(frame& waiter) noexcept { scheduler::suspend(waiter, *this); }
    void await_resume() const noexcept {}

private:
    static inline constinit const wait_kind yield_kind{"its turn", [](wait&) noexcept { return false; }};
};

// Lets every other ready task have a turn first.
[[nodiscard]] inline yield_awaiter yield() noexcept {
    return {};
}

class [[nodiscard]] checkpoint_awaiter : public detail::awaiter_of<checkpoint_awaiter>, wait {
public:
    checkpoint_awaiter() noexcept : wait(checkpoint_kind) {}
    bool await_ready() noexcept {
        end = this_thread.task->cancelled() ? wait_end::cancelled : wait_end::finished;
        return end == wait_end::finished && this_thread.task->spend_budget();
    }
    void suspend(frame& waiter) noexcept { scheduler::suspend(waiter, *this); }
    void await_resume() const noexcept {}

private:
    static inline constinit const wait_kind checkpoint_kind{"nothing", [](wait&) noexcept { return false; }};
};

// Waits only if the task is cancelled: then it never returns, as every other wait.
[[nodiscard]] inline checkpoint_awaiter checkpoint() noexcept {
    return {};
}

}  // namespace leat
