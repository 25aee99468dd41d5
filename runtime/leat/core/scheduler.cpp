// SPDX-License-Identifier: MIT
#include <leat/core/scheduler.hpp>

#include <leat/core/awaited.hpp>
#include <leat/core/bystanders.hpp>
#include <leat/core/frame_upkeep.hpp>
#include <leat/core/reference.hpp>
#include <leat/observe/core/counting_backend.hpp>
#include <leat/observe/core/failure_place.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace leat {

static std::unique_ptr<backend> counted(std::unique_ptr<backend> io) {
    return std::make_unique<detail::counting_backend>(std::move(io));
}

scheduler::scheduler(std::unique_ptr<backend> io, report_function report, const observation& how)
    : io_(how.counting ? counted(std::move(io)) : std::move(io)), report_(report), observed_(*this, how) {
    check(this_thread.loop == nullptr, "run() is not called inside run()");
    this_thread.loop = this;
    detail::tell_place_of_failures(detail::write_place);
}

scheduler::~scheduler() {
    observed_.stop();
    abandon_inbox();
    services_.clear();
    while (io_->pending() > 0) {  // descriptors that are being closed
        io_->collect(never, completed_);
    }
    io_->detach_all();
    this_thread.loop = nullptr;
    detail::frame_pool::trim();
}

void scheduler::run(task_state& main) {
    is_observed() ? run_turns<true>(main) : run_turns<false>(main);
}

void scheduler::run_until_empty(const detail::group_scope& group) {
    const auto empty = [&] { return group.size == 0; };
    is_observed() ? turn_until<true>(empty) : turn_until<false>(empty);
}

template <bool observed>
void scheduler::run_turns(task_state& main) {
    const auto all_ended = [&] { return root_.size + background_.size == 0; };
    turn_until<observed>([&] { return main.done; });
    root_.cancel(cancel_reason::ended);
    if (!all_ended()) {
        observed_.main_ended();
    }
    turn_until<observed>([&] { return root_.size == 0; });
    background_.cancel(cancel_reason::ended);
    turn_until<observed>(all_ended);
    observed_.others_ended();
    close_inbox();
    turn_until<observed>(all_ended);
}

template <bool observed, typename Predicate>
void scheduler::turn_until(Predicate over) {
    for (;;) {
        switches_ = 0;
        inline_left_ = inline_max;
        this_thread.tick = ticks_.read();
        int steps = 0;
        for (; steps < steps_max && inline_left_ > 0 && !ready_.empty(); ++steps) {
            if constexpr (observed) {
                observed_step();
            } else {
                step(ready_.pop_front());
            }
        }
        observed_.count(steps);
        if constexpr (observed) {
            observed_.measure_turn(steps);
        }
        if (over()) {
            return;
        }
        observed_.answer_dump_signal();
        expire_timers(steps > 0);
        if (inbox_ != nullptr && (inbox_->has_come() || !arrived_.empty())) [[unlikely]] {
            take_inbox(messages_max);
        }
        collect();
    }
}

void scheduler::observed_step() noexcept {
    task_state& task = order_is_drawn_ ? take_any_ready() : ready_.pop_front();
    const std::uint32_t id = task.id;
    observed_.step_begins(task);
    step(task);
    observed_.step_ended(id, task);
}

task_state& scheduler::take_any_ready() noexcept {
    task_state* taken = &ready_.front();
    if (!std::exchange(switched_, false)) {
        std::uint64_t seen = 0;
        for (task_state* each = taken; each != nullptr; each = ready_.next(*each)) {
            if (io_->random() % ++seen == 0) {
                taken = each;
            }
        }
    }
    taken->unlink();
    return *taken;
}

// When the loop has to do something if nothing comes before: a timer expires, or it looks after the frames
// that it keeps. (In virtual time nothing is to happen that the program has not asked for.)
time_point scheduler::next_deadline() const noexcept {
    const time_point alarm = alarms_.next();
    if (!detail::frame_pool::has_surplus || io_->time_is_virtual()) [[likely]] {
        return alarm;
    }
    return std::min(alarm, detail::frame_pool::give_back_surplus(io_->now()));
}

void scheduler::collect() {
    const bool idle = ready_.empty() && arrived_.empty();
    if (!idle && io_->pending() == 0 && !io_->wants_every_turn()) {
        return;
    }
    time_point deadline = long_ago;
    if (idle && waits_for_idle_.empty()) {
        // Asked first: then nothing is posted after the look below.
        const bool alone = awaits_others_ == 0 && door_.expired();
        if (inbox_ == nullptr || inbox_->about_to_sleep()) [[likely]] {
            if (alone && nothing_can_come()) [[unlikely]] {
                no_progress();
                return;
            }
            deadline = next_deadline();
        }
    }
    io_->collect(deadline, completed_);
    deliver_completed();
    if (idle && ready_.empty()) [[unlikely]] {
        while (!waits_for_idle_.empty()) {
            finish(waits_for_idle_.pop_front());
        }
    }
}

inline void scheduler::deliver_completed() {
    while (!completed_.empty()) {
        operation& op = completed_.pop_front();
        if (op.cancel_requested || op.its_turn || op.task == nullptr) [[unlikely]] {
            deliver_other(op);
        } else {
            finish(op);
        }
    }
}

void scheduler::deliver_other(operation& op) {
    if (op.task == nullptr) {
        op.kind->part_completed(op);
    } else if (ended_cancelled(op)) {
        abandon(op);
    } else if (op.its_turn) {
        begin_anew(op);
    } else {
        finish(op);
    }
}

// What a cancelled read gives back belongs to the owner, and so it does before anybody else has that.
void scheduler::detach(descriptor_owner& owner) {
    struct delivery {
        ~delivery() { of.deliver_completed(); }
        scheduler& of;
    } const at_the_end{*this};
    io_->detach(owner, completed_);
}

void scheduler::begin_anew(operation& op) {
    op.its_turn = false;
    if (op.kind->begin != nullptr ? op.kind->begin(op) : io_->submit(op)) {
        finish(op);
    }
}

// What has come while tasks ran is delivered first: else a task whose deadlines are shorter than a turn would
// never see it.
void scheduler::expire_timers(bool tasks_ran) {
    if (alarms_.empty()) {
        return;
    }
    time_point until = io_->now();
    if (tasks_ran && alarms_.next() <= until && io_->pending() > 0) [[unlikely]] {
        io_->collect(long_ago, completed_);
        deliver_completed();
    }
    for (int count = 1; timer* expired = alarms_.expire(until); ++count) {
        if (count == timers_max) [[unlikely]] {
            until = expired->deadline;
        }
        expired->expired(*expired);
    }
}

// What few tasks need when they are spawned.
void scheduler::spawn_otherwise(task_state& task, detail::group_scope& owner) noexcept {
    if (this_thread.task != nullptr && &owner != &background_) {  // a service is nobody's child
        task.bindings = this_thread.task->bindings;
    }
    if (owner.cancelled) {
        task.mark();
    }
    observed_.spawned(task);
}

// A task is linked while it is in the ready queue.
void scheduler::run_next(task_state& task) noexcept {
    if (task.linked() && switches_ < switches_max) {
        ++switches_;
        switched_ = true;
        task.unlink();
        ready_.push_front(task);
    }
}

// `leaf` was over before its task could wait for it: the others have a turn first, or the task unwinds.
void scheduler::suspend_ended(task_state& task, const wait& leaf) noexcept {
    if (leaf.end == wait_end::finished) [[likely]] {
        this_thread.loop->ready_.push_back(task);
    } else {
        task.phase = task_phase::unwinding;
    }
}

void scheduler::abandon(wait& leaf) noexcept {
    if (leaf.kind->give_up != nullptr && !leaf.kind->give_up(leaf)) [[unlikely]] {
        finish(leaf);
        return;
    }
    leaf.end = wait_end::cancelled;
    leaf.task->waiting = nullptr;
    leaf.task->phase = task_phase::unwinding;
    ready_.push_back(*leaf.task);
}

void scheduler::ask_to_end(task_state& task) noexcept {
    if (wait* leaf = task.waiting; leaf != nullptr && leaf->kind->cancel(*leaf)) {
        this_thread.loop->abandon(*leaf);
    }
}

void scheduler::step(task_state& task) noexcept {
    this_thread.task = &task;
    this_thread.budget = detail::inline_completions_max;
    frame* next = task.leaf;
    if (task.phase != task_phase::started) [[unlikely]] {
        next = nullptr;
        if (task.phase == task_phase::unstarted) {
            task.phase = task_phase::started;
            this_thread.current = nullptr;
            task.start();
            next = std::exchange(this_thread.next, nullptr);
        }
    }
    for (;;) {
        for (; next != nullptr; next = std::exchange(this_thread.next, nullptr)) {
            this_thread.current = next;
            next->coroutine().resume();
        }
        if (task.phase != task_phase::unwinding) [[likely]] {
            break;
        }
        task.phase = task_phase::started;
        unwind(task);
        next = std::exchange(this_thread.next, nullptr);
    }
    inline_left_ += this_thread.budget - detail::inline_completions_max;
    if (task.phase == task_phase::ended) [[unlikely]] {
        end(task);
    }
    this_thread.task = nullptr;
}

// Destroys frames from the leaf outwards, up to the frame that entered a scope which absorbs.
void scheduler::unwind(task_state& task) noexcept {
    this_thread.unwinding = true;
    frame* at = task.leaf;
    while (at != nullptr) {
        detail::scope_node& scope = *task.innermost;
        if (scope.host() == at) {
            const bool absorbs = scope.absorbs();
            static_cast<detail::entered_scope&>(scope).leave();
            if (absorbs) {
                scope.absorbed = true;
                this_thread.next = at;
                break;
            }
        } else {
            frame* parent = at->parent;
            this_thread.current = parent;
            at->coroutine().destroy();
            at = parent;
        }
    }
    this_thread.unwinding = false;
    if (at == nullptr) {
        task.leaf = nullptr;
        task.phase = task_phase::ended;
    }
}

// The error of a child of `owner`, that is thrown there if it is the first.
[[gnu::noinline]] static void fail(detail::group_scope& owner, task_state& child) noexcept {
    if (const std::exception_ptr error = child.take_unseen_error(); !owner.fail(error)) {
        child.report_error(error);
    }
}

// The last of a task: its result is there, and those who wait for it are told.
void scheduler::end(task_state& task) noexcept {
    this_thread.current = nullptr;
    task.finish(task.leaf);
    if (task.bindings.any()) [[unlikely]] {
        task.bindings = {};
    }
    task.end(report_);
    // Not before: the destructors of users that have run until here may have moved it into another group.
    auto& owner = static_cast<detail::group_scope&>(*task.parent);
    observed_.ended(task);
    owner.children.remove(task);
    task.parent = nullptr;
    --owner.size;
    owner.cut_short |= owner.cancelled && task.leaf == nullptr;
    if (task.has_unseen_error && owner.error_policy == detail::group_scope::errors::to_group) [[unlikely]] {
        fail(owner, task);
    }
    while (!task.joiners.empty()) {
        detail::joiner& next = task.joiners.pop_front();
        next.heard(next);
    }
    if (!owner.watchers.empty()) {
        tell_watchers(owner);
    }
    // First, so that a signal handler that looks at the running task (watch_thread) finds none that is freed.
    this_thread.task = nullptr;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    detail::drop_reference(task);
}

[[gnu::noinline]] void scheduler::tell_watchers(detail::group_scope& group) noexcept {
    for (detail::group_watcher* next = group.watchers.first(); next != nullptr;) {
        detail::group_watcher& watcher = *next;
        next = group.watchers.next(watcher);
        if (group.size + group.promised < watcher.below) {
            watcher.unlink();
            group.promised += watcher.takes_place ? 1 : 0;
            watcher.ends_cancelled ? abandon(watcher) : finish(watcher);
        }
    }
}

}  // namespace leat
