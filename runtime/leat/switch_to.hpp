// SPDX-License-Identifier: MIT
// switch_to: lets one given task run next, for tasks that alternate on purpose, such as a producer and its
// consumer. What it does to the order of tasks is in scheduler.hpp.
#pragma once

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>

namespace leat {

class [[nodiscard]] switch_awaiter : public detail::leaf_awaiter<switch_awaiter> {
public:
    static constexpr bool always_suspends = true;

    explicit switch_awaiter(task_state& to) noexcept : leaf_awaiter(detail::yield_kind), to_(&to) {}
    bool take_now() noexcept {
        current_scheduler().run_next(*to_);
        return true;
    }
    void await_resume() const noexcept {}

private:
    task_state* to_;
};

// co_await switch_to(handle): a yield(), but if the given task is ready it runs next, before all others. One
// that waits, runs or has ended is left alone. At most 64 times in a turn of the loop, so that two tasks that
// go on switching to each other do not keep the others from running.
template <typename T>
[[nodiscard]] switch_awaiter switch_to(const handle<T>& next) noexcept {
    return switch_awaiter(next.state());
}

}  // namespace leat
