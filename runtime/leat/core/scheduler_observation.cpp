// SPDX-License-Identifier: MIT
#include <leat/core/scheduler_observation.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/observe/core/counting_backend.hpp>
#include <leat/observe/core/dump_signal.hpp>
#include <leat/observe/core/watch_thread.hpp>
#include <leat/observe/dump.hpp>

#include <algorithm>
#include <bit>
#include <mutex>
#include <string>
#include <string_view>

namespace leat {

namespace detail {

namespace {

constinit std::mutex enlisting;

// A line of the report for each of the dump's. Without memory for that the run goes on all the same.
void report_tasks(scheduler& of, std::string_view heading) noexcept {
    std::string dump;
    try {
        dump = dump_tasks(of);
    } catch (const std::bad_alloc&) {
        dump = "(no memory)\n";
    }
    of.report(heading);
    for (std::string_view rest = dump; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        of.report(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
}

}  // namespace

constinit scheduler_observation* first_observation = nullptr;

scheduler_observation::scheduler_observation(scheduler& of, const observation& how)
    : observer_(how.hears),
      counts_(how.counting ? &static_cast<counting_backend&>(of.io()).counts() : nullptr),
      end_grace_(how.end_grace),
      end_is_late_([](timer&) noexcept {
          report_tasks(*this_thread.loop, "the main task has ended, and these tasks have not since:");
      }),
      of_(of) {
    if (how.dump_signal != 0) {
        dump_signal_ = std::make_unique<dump_signal>(how.dump_signal, dump_asked_, of.io());
    }
    if (how.watch_limit > duration::zero()) {
        watch_ = std::make_unique<watch_thread>(how.watch_limit, of.reports());
    }
    enlist();
}

scheduler_observation::~scheduler_observation() = default;

void scheduler_observation::stop() noexcept {
    watch_.reset();
    dump_signal_.reset();
    delist();
}

void scheduler_observation::enlist() noexcept {
    const std::lock_guard lock(enlisting);
    next_ = std::exchange(first_observation, this);
}

void scheduler_observation::delist() noexcept {
    const std::lock_guard lock(enlisting);
    scheduler_observation** place = &first_observation;
    while (*place != this) {
        place = &(*place)->next_;
    }
    *place = next_;
}

void scheduler_observation::step_begins(task_state& task) noexcept {
    if (observer_ != nullptr) {
        if (std::exchange(task.waited, false)) {
            observer_->wait_ended(task.id);
        }
        observer_->step_began({task.id, task.name(), task.spawned_at});
    }
    if (watch_ != nullptr) {
        watch_->step_begins(task.id);
    }
    ended_ = 0;
}

void scheduler_observation::step_ended(std::uint32_t id, task_state& task) noexcept {
    if (watch_ != nullptr) {
        watch_->step_ends();
    }
    if (observer_ != nullptr) {
        observer_->step_ended(id);
        const bool alive = ended_ != id;
        if (alive && task.waiting != nullptr) {
            task.waited = true;
            observer_->wait_began(id, task.waiting->kind->name);
        }
    }
}

void scheduler_observation::measure_turn(int steps) noexcept {
    if (counts_ != nullptr && steps > 0) {
        steps_most_ = std::max(steps_most_, steps);
        const std::uint64_t length = of_.ticks().read() - this_thread.tick;
        ++lag_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(length)), lag_.size() - 1)];
    }
}

void scheduler_observation::tell_of_spawned(const task_state& task) noexcept {
    observer_->task_spawned({task.id, task.name(), task.spawned_at},
                            this_thread.task != nullptr ? this_thread.task->id : 0);
}

void scheduler_observation::tell_of_ended(const task_state& task) noexcept {
    observer_->task_ended(task.id, task.how());
}

void scheduler_observation::dump_as_asked() noexcept {
    dump_asked_.store(false, std::memory_order_relaxed);
    report_tasks(of_, "tasks, asked for by a signal:");
}

void scheduler_observation::main_ended() noexcept {
    if (end_grace_ > duration::zero()) {
        try {
            of_.alarms().arm(end_is_late_, after(of_.io().now(), end_grace_));
        } catch (const std::bad_alloc&) {  // the run ends without it, too
        }
    }
}

void scheduler_observation::others_ended() noexcept {
    of_.alarms().disarm(end_is_late_);
}

void scheduler_observation::add_to(counters& now) const {
    now.turns = turns_;
    now.resumptions = resumptions_;
    now.tasks = now.spawned - ended_tasks_;
    if (counts_ == nullptr) {
        return;
    }
    now.counted = true;
    now.ready_most = static_cast<std::size_t>(steps_most_);
    now.bytes_in = counts_->bytes_in;
    now.bytes_out = counts_->bytes_out;
    static_assert(counters::operation_kinds == operation_kinds);
    for (std::size_t kind = 0; kind < now.operations.size(); ++kind) {
        now.operations[kind] = {name_of(static_cast<operation_kind>(kind)), counts_->by_kind[kind]};
    }
    const tick_clock::scale scale(of_.ticks());
    for (std::size_t width = 0; width < lag_.size(); ++width) {
        if (lag_[width] > 0) {
            now.lag.push_back({scale.length(std::uint64_t{1} << width), lag_[width]});
        }
    }
}

}  // namespace detail

counters scheduler::counters() {
    leat::counters now;
    now.spawned = tasks_;
    for (task_state* task = ready_.first(); task != nullptr; task = ready_.next(*task)) {
        ++now.ready;
    }
    now.timers = alarms_.size();
    now.pending = io_->pending();
    now.frames = detail::frame_pool::in_use();
    observed_.add_to(now);
    return now;
}

}  // namespace leat
