// SPDX-License-Identifier: MIT
// counters: what a scheduler has done since its run began, for a metrics page:
// current_scheduler().counters().to_json(). Asking costs in proportion to the ready tasks.
#pragma once

#include <leat/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace leat {

struct counters {
    static constexpr std::size_t operation_kinds = 13;

    // The kind of operation, "accept" and so on, and how many.
    struct operation_count {
        const char* kind;
        std::uint64_t count;
    };
    // How many turns took less than `below`, and not less than the bucket before.
    struct lag_bucket {
        duration below;
        std::uint64_t turns;
    };

    std::uint64_t turns = 0;
    std::uint64_t resumptions = 0;  // steps of tasks
    std::uint64_t spawned = 0;      // tasks
    std::size_t tasks = 0;          // that have not ended
    std::size_t ready = 0;          // tasks in the ready queue
    std::size_t timers = 0;         // armed
    std::size_t pending = 0;        // operations in the kernel
    // Blocks of memory for frames of coroutines and for tasks that this thread has made and not destroyed;
    // one that is destroyed on another thread is subtracted there.
    std::int64_t frames = 0;

    // Counted only with run_options.counting; otherwise zero or empty.
    bool counted = false;
    std::size_t ready_most = 0;   // steps in one turn, at most scheduler::steps_max
    std::vector<lag_bucket> lag;  // by the length of a turn: how long an event in it had to wait
    std::array<operation_count, operation_kinds> operations{};
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;

    // A line each: "turns 12".
    [[nodiscard]] std::string to_text() const;
    // An object with the names above; times are in nanoseconds.
    [[nodiscard]] std::string to_json() const;
};

}  // namespace leat
