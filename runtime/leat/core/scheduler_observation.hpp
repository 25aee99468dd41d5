// SPDX-License-Identifier: MIT
// scheduler_observation: what a scheduler does only for those who look at it. It tells an observer of tasks
// and their steps, counts, dumps the tasks on a signal and when they do not end, has long steps watched, and
// stands in the list of debuggers. The scheduler tells it of each such moment, and nothing of the run depends
// on it. Invariant: where nobody looks a step costs nothing, a turn two additions and a look at a flag.
#pragma once

#include <leat/core/task_state.hpp>
#include <leat/core/timers.hpp>
#include <leat/observe/counters.hpp>
#include <leat/observe/observer.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace leat::detail {

class dump_signal;
class watch_thread;
struct operation_counts;

class scheduler_observation;

// Those of all schedulers of the process, the last made first, for debuggers (scripts/gdb).
extern scheduler_observation* first_observation;

class scheduler_observation {
public:
    // The backend of `of` is a counting_backend if `how` says that the run counts. What `how` names outlives
    // this. Throws std::invalid_argument for an impossible dump_signal, std::system_error without a thread.
    scheduler_observation(scheduler& of, const observation& how);
    scheduler_observation(const scheduler_observation&) = delete;
    scheduler_observation& operator=(const scheduler_observation&) = delete;
    ~scheduler_observation();
    // Before any part of the scheduler goes.
    void stop() noexcept;

    // Whether it is to be told of steps, and of how long a turn was.
    [[nodiscard]] bool hears_steps() const noexcept {
        return observer_ != nullptr || watch_ != nullptr || counts_ != nullptr;
    }
    // Whether it is to be told of tasks that are spawned.
    [[nodiscard]] bool hears_of_tasks() const noexcept { return observer_ != nullptr; }
    void step_begins(task_state& task) noexcept;
    // `task`, whose id was `id`, may be gone.
    void step_ended(std::uint32_t id, task_state& task) noexcept;
    void measure_turn(int steps) noexcept;

    void count(int steps_of_a_turn) noexcept {
        ++turns_;
        resumptions_ += static_cast<unsigned>(steps_of_a_turn);
    }
    // Between two steps.
    void answer_dump_signal() noexcept {
        if (dump_asked_.load(std::memory_order_relaxed)) [[unlikely]] {
            dump_as_asked();
        }
    }
    void spawned(const task_state& task) noexcept {
        if (observer_ != nullptr) [[unlikely]] {
            tell_of_spawned(task);
        }
    }
    void ended(const task_state& task) noexcept {
        ended_ = task.id;
        ++ended_tasks_;
        if (observer_ != nullptr) [[unlikely]] {
            tell_of_ended(task);
        }
    }

    // The main task has ended before others: they have a grace, and then they are reported.
    void main_ended() noexcept;
    void others_ended() noexcept;
    // Whether a timer runs for that, which wakes no task.
    [[nodiscard]] bool waits_for_end() const noexcept { return end_is_late_.armed(); }

    // Adds what was counted here. `now` has those that were spawned.
    void add_to(counters& now) const;

private:
    void tell_of_spawned(const task_state& task) noexcept;
    void tell_of_ended(const task_state& task) noexcept;
    void dump_as_asked() noexcept;
    void enlist() noexcept;
    void delist() noexcept;

    std::uint64_t turns_ = 0;
    std::uint64_t resumptions_ = 0;
    std::uint32_t ended_ = 0;  // the task that ended last
    std::uint32_t ended_tasks_ = 0;
    std::atomic<bool> dump_asked_ = false;
    observer* observer_;
    const operation_counts* counts_;       // when the run counts
    int steps_most_ = 0;                   // in a turn
    std::array<std::uint64_t, 64> lag_{};  // turns, by the width of their length in ticks
    duration end_grace_;
    timer end_is_late_;
    scheduler& of_;
    scheduler_observation* next_ = nullptr;  // in the list that debuggers read
    std::unique_ptr<dump_signal> dump_signal_;
    std::unique_ptr<watch_thread> watch_;
};

}  // namespace leat::detail
