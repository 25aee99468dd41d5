// SPDX-License-Identifier: MIT
// switch_to: hands the turn to one task, for those who take turns on purpose, as a producer and the one who
// consumes what it has made. What it does to the order of tasks is in scheduler.hpp.
#pragma once

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>

namespace leat {

class [[nodiscard]] switch_awaiter : public yield_awaiter {
public:
    explicit switch_awaiter(task_state& to) noexcept : to_(&to) {}

    bool await_ready() noexcept {
        if (!this_thread.task->cancelled()) {
            current_scheduler().run_next(*to_);
        }
        return yield_awaiter::await_ready();
    }

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
