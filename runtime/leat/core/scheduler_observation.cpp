// SPDX-License-Identifier: MIT
// What a scheduler does only for those who look at it: hooks, counters, dumps on a signal, an order of tasks
// that tests do not expect.
#include <leat/core/scheduler.hpp>
#include <leat/observe/core/counting_backend.hpp>
#include <leat/observe/core/dump_signal.hpp>
#include <leat/observe/core/failure_place.hpp>
#include <leat/observe/core/watch_thread.hpp>
#include <leat/observe/dump.hpp>

#include <algorithm>
#include <bit>
#include <mutex>

namespace leat {

namespace {

constinit std::mutex enlisting;

std::unique_ptr<backend> counted(std::unique_ptr<backend> io, detail::operation_counts* counts) {
    return counts != nullptr ? std::make_unique<detail::counting_backend>(std::move(io), *counts)
                             : std::move(io);
}

}  // namespace

constinit scheduler* detail::first_scheduler = nullptr;

scheduler::scheduler(std::unique_ptr<backend> io, report_function report, const observation& how)
    : counts_(how.counting ? std::make_unique<detail::operation_counts>() : nullptr),
      io_(counted(std::move(io), counts_.get())),
      report_(report),
      observer_(how.hears),
      end_grace_(how.end_grace) {
    check(this_thread.loop == nullptr, "run() is not called inside run()");
    if (how.dump_signal != 0) {
        dump_signal_ = std::make_unique<detail::dump_signal>(how.dump_signal, dump_asked_, *io_);
    }
    if (how.watch_limit > duration::zero()) {
        watch_ = std::make_unique<detail::watch_thread>(how.watch_limit, report);
    }
    this_thread.loop = this;
    detail::tell_place_of_failures(detail::write_place);
    enlist();
}

scheduler::~scheduler() {
    watch_.reset();
    dump_signal_.reset();
    if (inbox_ != nullptr) {
        inbox_->close();
        inbox_->take(arrived_);
        inbox_->abandon();
        while (!arrived_.empty()) {
            arrived_.pop_front().drop();
        }
    }
    services_.clear();
    while (io_->pending() > 0) {  // descriptors that are being closed
        io_->collect(never, completed_);
    }
    io_->detach_all();
    delist();
    this_thread.loop = nullptr;
    frame_pool::trim();
}

void scheduler::enlist() noexcept {
    const std::lock_guard lock(enlisting);
    next_ = std::exchange(detail::first_scheduler, this);
}

void scheduler::delist() noexcept {
    const std::lock_guard lock(enlisting);
    scheduler** place = &detail::first_scheduler;
    while (*place != this) {
        place = &(*place)->next_;
    }
    *place = next_;
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

void scheduler::observed_step(task_state& task) noexcept {
    const std::uint32_t id = task.id;
    if (observer_ != nullptr) {
        if (std::exchange(task.waited, false)) {
            observer_->wait_ended(id);
        }
        observer_->step_began({id, task.name(), task.spawned_at});
    }
    if (watch_ != nullptr) {
        watch_->step_begins(id);
    }
    ended_ = 0;
    step(task);
    const bool alive = ended_ != id;  // else the task may be gone
    if (watch_ != nullptr) {
        watch_->step_ends();
    }
    if (observer_ != nullptr) {
        observer_->step_ended(id);
        if (alive && task.waiting != nullptr) {
            task.waited = true;
            observer_->wait_began(id, task.waiting->kind->name);
        }
    }
}

void scheduler::count_turn(int steps) noexcept {
    if (counts_ != nullptr && steps > 0) {
        steps_most_ = std::max(steps_most_, steps);
        const std::uint64_t length = ticks_.read() - this_thread.tick;
        ++lag_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(length)), lag_.size() - 1)];
    }
}

void scheduler::answer_dump_signal() {
    dump_asked_.store(false, std::memory_order_relaxed);
    report_tasks("tasks, asked for by a signal:");
}

// From now on all tasks are to end.
void scheduler::watch_end() noexcept {
    if (end_grace_ > duration::zero()) {
        try {
            alarms_.arm(end_is_late_, after(io_->now(), end_grace_));
        } catch (const std::bad_alloc&) {  // the run ends without it, too
        }
    }
}

// A line of the report for each of the dump's. Without memory for that the run goes on all the same.
void scheduler::report_tasks(std::string_view heading) {
    std::string dump;
    try {
        dump = dump_tasks(*this);
    } catch (const std::bad_alloc&) {
        dump = "(no memory)\n";
    }
    report_(heading);
    for (std::string_view rest = dump; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        report_(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
}

counters scheduler::counters() {
    leat::counters now;
    now.turns = turns_;
    now.resumptions = resumptions_;
    now.spawned = tasks_;
    now.tasks = tasks_ - ended_tasks_;
    for (task_state* task = ready_.first(); task != nullptr; task = ready_.next(*task)) {
        ++now.ready;
    }
    now.timers = alarms_.size();
    now.pending = io_->pending();
    now.frames = frame_pool::in_use();
    if (counts_ == nullptr) {
        return now;
    }
    now.counted = true;
    now.ready_most = static_cast<std::size_t>(steps_most_);
    now.bytes_in = counts_->bytes_in;
    now.bytes_out = counts_->bytes_out;
    for (std::size_t kind = 0; kind < now.operations.size(); ++kind) {
        now.operations[kind] = {detail::name_of(static_cast<operation_kind>(kind)), counts_->by_kind[kind]};
    }
    const detail::tick_clock::scale scale(ticks_);
    for (std::size_t width = 0; width < lag_.size(); ++width) {
        if (lag_[width] > 0) {
            now.lag.push_back({scale.length(std::uint64_t{1} << width), lag_[width]});
        }
    }
    return now;
}

}  // namespace leat
