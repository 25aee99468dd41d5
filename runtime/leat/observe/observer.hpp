// SPDX-License-Identifier: MIT
// observer: an interface that is told what the tasks of a run do, step by step; for tracers and profilers. It
// is given to run() as run_options.observer and outlives that run. Without one nothing is called.
//
// Its functions are called on the scheduler's thread, between the steps of tasks or in them; they must not
// wait, spawn, cancel or end anything. leat::now() tells the time.
#pragma once

#include <leat/clock.hpp>
#include <leat/outcome.hpp>

#include <cstdint>
#include <source_location>
#include <string_view>

namespace leat {

// What an observer is told of a task; valid during the call.
struct observed_task {
    std::uint32_t id;
    std::string_view name;  // empty for most
    std::source_location spawned_at;
};

class observer {
public:
    virtual ~observer() = default;

    // Before its first step. `owner` is the task that runs; 0 when there is none.
    virtual void task_spawned(const observed_task& /*task*/, std::uint32_t /*owner*/) noexcept {}
    // A step: from a resumption to the next wait. Other hooks of the same task come between the two.
    virtual void step_began(const observed_task& /*task*/) noexcept {}
    virtual void step_ended(std::uint32_t /*task*/) noexcept {}
    // After the step that it began in, and before the one that goes on: a wait that is over counts until its
    // task's turn has come. One that was over at once is not told. `what` is "recv", "sleep", ...
    virtual void wait_began(std::uint32_t /*task*/, const char* /*what*/) noexcept {}
    virtual void wait_ended(std::uint32_t /*task*/) noexcept {}
    // In its last step.
    virtual void task_ended(std::uint32_t /*task*/, ending /*how*/) noexcept {}
};

// The observers of a run; see run_options.
struct observation {
    observer* hears = nullptr;
    int dump_signal = 0;
    duration watch_limit{};
    duration end_grace{};
    bool counting = false;
};

}  // namespace leat
