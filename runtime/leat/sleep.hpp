// SPDX-License-Identifier: MIT
// sleep, sleep_until, yield and checkpoint: wait until a time, let other tasks run, or only notice a
// cancellation.
#pragma once

#include <leat/core/leaf_awaiter.hpp>

#include <chrono>

namespace leat {

class [[nodiscard]] sleep_awaiter : public detail::leaf_awaiter<sleep_awaiter>, timer {
public:
    static constexpr bool always_suspends = true;

    explicit sleep_awaiter(time_point until) noexcept : leaf_awaiter(sleep_kind), timer(wake_up) {
        deadline = until;
    }
    // It may be awaited again.
    bool await_ready() noexcept {
        check(!armed(), "two tasks await one sleep at once");
        end = wait_end::pending;
        task = nullptr;
        return leaf_awaiter::await_ready();
    }
    bool take_now() const noexcept { return deadline <= now(); }
    void enqueue() { current_scheduler().alarms().arm(*this, deadline); }
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

namespace detail {

inline constinit const wait_kind yield_kind{"its turn", [](wait&) noexcept { return false; }};

}  // namespace detail

class [[nodiscard]] yield_awaiter : public detail::leaf_awaiter<yield_awaiter> {
public:
    static constexpr bool always_suspends = true;

    yield_awaiter() noexcept : leaf_awaiter(detail::yield_kind) {}
    static bool take_now() noexcept { return true; }
    void await_resume() const noexcept {}
};

// Lets every other ready task run first.
[[nodiscard]] inline yield_awaiter yield() noexcept {
    return {};
}

class [[nodiscard]] checkpoint_awaiter : public detail::leaf_awaiter<checkpoint_awaiter> {
public:
    checkpoint_awaiter() noexcept : leaf_awaiter(checkpoint_kind) {}
    static bool take_now() noexcept { return true; }
    void await_resume() const noexcept {}

private:
    static inline constinit const wait_kind checkpoint_kind{"nothing", [](wait&) noexcept { return false; }};
};

// Waits only if the task is cancelled: then it never returns, as every other wait.
[[nodiscard]] inline checkpoint_awaiter checkpoint() noexcept {
    return {};
}

}  // namespace leat
