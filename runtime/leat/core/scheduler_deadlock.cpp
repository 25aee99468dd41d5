// SPDX-License-Identifier: MIT
// What a scheduler does when every task waits: whether a timer may still wake one, and else how the run ends.
#include <leat/core/bystanders.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/observe/dump.hpp>

#include <new>

namespace leat {

bool scheduler::alarm_may_wake_task() const noexcept {
    const std::size_t wakes_none =
        (observed_.waits_for_end() ? 1u : 0u) + (limit_ != nullptr && limit_->armed() ? 1u : 0u);
    return alarms_.size() > wakes_none + detail::current_bystanders().timers();
}

// No other thread, timer or operation of a task could end a wait. A timer of a bystander may, under a
// condition.
bool scheduler::nothing_can_come() noexcept {
    detail::bystanders& aside = detail::current_bystanders();
    return !alarm_may_wake_task() && (aside.own_all(io_->pending()) || io_->only_wake_can_come()) &&
           !aside.timer_may_wake_task();
}

// Every task waits, and nothing is left that could end a wait.
void scheduler::no_progress() {
    if (!deadlocked_) {
        deadlocked_ = true;
        try {
            deadlock_dump_ = dump_tasks(*this);
        } catch (const std::bad_alloc&) {  // the deadlock is told all the same, without the list
        }
        root_.cancel("nothing could wake it");
        return;
    }
    // They wait behind shields, for what will never come: no shield can hold now.
    // Some that are asked for the first time leave it to whoever may still answer; then they are asked again.
    for (int times = 0; times < 2 && ready_.empty(); ++times) {
        root_.end_all_waits();
        background_.end_all_waits();
    }
    check(!ready_.empty(), "a cancelled task ends");
}

}  // namespace leat
