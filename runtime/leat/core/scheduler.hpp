// SPDX-License-Identifier: MIT
// scheduler: the loop. One for each thread that is in run(); it resumes tasks, fires timers and asks the
// backend for completions. Only the inbox has a lock.
//
// A turn: run ready tasks, read the clock once and expire timers, take the inbox, collect completions. While
// tasks are ready, collect does not wait; it is skipped if also no operation is pending. When a deadline has
// passed while tasks ran, it is called before the timers expire, too.
//
// Fairness: no source of work can keep the others waiting, because a turn does a bounded amount of each.
//   * Tasks: at most steps_max steps. A step ends when its task waits. A task whose operations complete at
//     once, one after the other, goes to the end of the queue after detail::inline_completions_max of
//     them. A turn has at most inline_max such completions of all tasks together; the step that exceeds it is
//     the last of the turn. One that has moved bytes counts one more for each 16 KiB.
//   * Timers: timers_max, and all with the same deadline as the last of them, since equal deadlines pass
//     together.
//   * The inbox: messages_max. The rest stays in order.
//   * Completions: those that one collect brings. Backends bound the bytes that one try moves, and those of
//     all tries from one look to the next (bytes_of_a_try, bytes_of_a_turn).
// All of that is counted, not timed, so that a simulation replays it. Ready tasks run in the order in which
// they became ready, but for those that switch_to takes to the front, at most switches_max times a turn.
#pragma once

#include <leat/core/backend.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/group_scope.hpp>
#include <leat/core/inbox.hpp>
#include <leat/core/scheduler_observation.hpp>
#include <leat/core/task_state.hpp>
#include <leat/core/ticks.hpp>
#include <leat/core/timers.hpp>
#include <leat/observe/observer.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// An object that all tasks of one scheduler share, such as the resolver of names. It is made at its first use
// and destroyed after the last task, while the backend still works: descriptors that it retires are closed in
// order.
class service {
public:
    virtual ~service() = default;
};

class scheduler {
public:
    static constexpr int steps_max = 128;
    static constexpr int switches_max = steps_max / 2;
    static constexpr int inline_max = 2 * steps_max;
    static constexpr int timers_max = 1024;
    static constexpr int messages_max = 256;

    // What `how` names outlives the scheduler. Throws std::invalid_argument for an impossible dump_signal.
    scheduler(std::unique_ptr<backend> io, report_function report, const observation& how = {});
    ~scheduler();
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    // Runs until `main`, spawned in root(), and every other task has ended.
    void run(task_state& main);
    // Runs until `group` has no tasks, inside a step of a task that goes on then (testing::nursery).
    void run_until_empty(const detail::group_scope& group);
    // Whether no task could make progress, and all were cancelled; and the tasks as they were then.
    [[nodiscard]] bool deadlocked() const noexcept { return deadlocked_; }
    [[nodiscard]] const std::string& deadlock_dump() const noexcept { return deadlock_dump_; }

    // For tests, before run(). Tasks then run in an order that is drawn from backend::random(), but for those
    // that switch_to takes to the front.
    void draw_order() noexcept { order_is_drawn_ = true; }
    // For tests, before run(): `alarm` wakes no task, so that a deadlock is seen also while it is armed. It
    // outlives the run.
    void set_limit(const timer& alarm) noexcept { limit_ = &alarm; }

    [[nodiscard]] backend& io() noexcept { return *io_; }
    [[nodiscard]] timers& alarms() noexcept { return alarms_; }
    [[nodiscard]] detail::group_scope& root() noexcept { return root_; }
    [[nodiscard]] leat::remote remote();
    // Where other threads leave what is to be done here; made at its first use.
    [[nodiscard]] const std::shared_ptr<inbox>& messages();
    // Counts the waits that other threads end: while there is one, nothing is called a deadlock.
    void await_others() noexcept { ++awaits_others_; }
    void heard_from_others() noexcept { --awaits_others_; }
    // The service of this type, made from the scheduler at its first use.
    template <std::derived_from<service> Service>
    [[nodiscard]] Service& use();
    // The tasks that services run: cancelled and awaited once those of root() have ended.
    [[nodiscard]] detail::group_scope& background() noexcept { return background_; }
    [[nodiscard]] leat::counters counters();
    [[nodiscard]] const detail::tick_clock& ticks() const noexcept { return ticks_; }
    void report(std::string_view line) const noexcept { report_(line); }
    [[nodiscard]] report_function reports() const noexcept { return report_; }

    // Queues the first step of `task`, as a child of `owner`.
    void spawn(task_state& task, detail::group_scope& owner) noexcept {
        task.id = ++tasks_;
        task.begin(*this);
        task.link_below(owner);
        ++owner.size;
        ready_.push_back(task);
        const task_state* const spawner = this_thread.task;
        if (owner.cancelled || observed_.hears_of_tasks() || (spawner != nullptr && spawner->bindings.any()))
            [[unlikely]] {
            spawn_otherwise(task, owner);
        }
    }

    // Lets `task` run before all others, if it is ready.
    void run_next(task_state& task) noexcept;

    // The running task waits for `leaf` in `waiter`. For await_suspend; does not switch by itself.
    static void suspend(frame& waiter, wait& leaf) noexcept {
        task_state& task = *this_thread.task;
        task.leaf = &waiter;
        leaf.task = &task;
        if (leaf.end == wait_end::pending) [[likely]] {
            task.waiting = &leaf;
            task.since = this_thread.tick;
        } else {
            suspend_ended(task, leaf);
        }
    }
    // `leaf`, which its task was suspended on, has ended with a result.
    void finish(wait& leaf) noexcept {
        leaf.end = wait_end::finished;
        leaf.task->waiting = nullptr;
        ready_.push_back(*leaf.task);
    }
    // `leaf`, which its task was suspended on, has ended as cancelled.
    void abandon(wait& leaf) noexcept;
    // `leaf`, which its task is suspended on, ends when every other task waits and nothing has come for one.
    // A cancellation must unlink it.
    void finish_when_idle(wait& leaf) noexcept { waits_for_idle_.push_back(leaf); }
    // As backend::detach() says; cancelled waits on `owner` have ended when this returns.
    void detach(descriptor_owner& owner);
    // Asks what `task` waits for, if it does wait, to end.
    static void ask_to_end(task_state& task) noexcept;
    // Wakes the tasks that wait until `group` has as few tasks as now.
    void tell_watchers(detail::group_scope& group) noexcept;

private:
    [[nodiscard]] bool is_observed() const noexcept { return observed_.hears_steps() || order_is_drawn_; }
    template <bool observed>
    void run_turns(task_state& main);
    template <bool observed, typename Predicate>
    void turn_until(Predicate over);
    [[nodiscard]] task_state& take_any_ready() noexcept;
    void observed_step() noexcept;
    void step(task_state& task) noexcept;
    void spawn_otherwise(task_state& task, detail::group_scope& owner) noexcept;
    static void unwind(task_state& task) noexcept;
    void end(task_state& task) noexcept;
    [[nodiscard]] bool alarm_may_wake_task() const noexcept;
    void expire_timers(bool tasks_ran);
    static void suspend_ended(task_state& task, const wait& leaf) noexcept;
    void take_inbox(int most) noexcept;
    void close_inbox() noexcept;
    void abandon_inbox() noexcept;
    void collect();
    [[nodiscard]] time_point next_deadline() const noexcept;
    [[nodiscard, gnu::noinline]] bool nothing_can_come() noexcept;
    void deliver_completed();
    [[gnu::noinline]] void deliver_other(operation& op);
    void begin_anew(operation& op);
    void no_progress();

    std::unique_ptr<backend> io_;
    report_function report_;
    detail::tick_clock ticks_{*io_};
    timers alarms_;
    list<task_state> ready_;
    list<operation> completed_;
    detail::group_scope root_{detail::group_scope::errors::to_handles, this};
    detail::group_scope background_{detail::group_scope::errors::to_handles, this};
    std::vector<std::unique_ptr<service>> services_;
    std::shared_ptr<inbox> inbox_;
    list<inbox::message> arrived_;    // taken from the inbox, and left to the next turn
    std::weak_ptr<inbox_door> door_;  // held by the remotes: others may post while it lives
    std::size_t awaits_others_ = 0;
    std::uint32_t tasks_ = 0;  // spawned so far, for their ids
    int switches_ = 0;         // of this turn
    int inline_left_ = 0;      // of this turn's waits that are over at once
    list<wait> waits_for_idle_;
    const timer* limit_ = nullptr;
    bool order_is_drawn_ = false;
    bool switched_ = false;  // the first of ready_ runs next, also when the order is drawn
    bool deadlocked_ = false;
    std::string deadlock_dump_;
    detail::scheduler_observation observed_;
};

template <std::derived_from<service> Service>
Service& scheduler::use() {
    for (const std::unique_ptr<service>& each : services_) {
        if (auto* found = dynamic_cast<Service*>(each.get())) {
            return *found;
        }
    }
    auto made = std::make_unique<Service>(*this);
    Service& added = *made;
    services_.push_back(std::move(made));
    return added;
}

// The scheduler of this thread; misuse outside run().
[[nodiscard]] inline scheduler& current_scheduler() noexcept {
    check(this_thread.loop != nullptr, "this is called inside run()");
    return *this_thread.loop;
}

// The time now, by the scheduler's clock.
[[nodiscard]] inline time_point now() noexcept {
    return current_scheduler().io().now();
}

}  // namespace leat
