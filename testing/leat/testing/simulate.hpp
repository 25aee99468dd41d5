// SPDX-License-Identifier: MIT
// simulate: runs a coroutine on many simulations, one for each seed, until one fails; then it prints the
// command that repeats exactly that run. LEAT_SIMULATE is this in doctest; the core knows no framework.
//
// A run fails when the body throws, when every task waits and nothing can wake any, when more virtual time
// passes than is allowed, when something is left open (leaks.hpp), or when an assertion of the test framework
// failed meanwhile. The report then lists the tasks as they were at the first of these: when a timeout passed
// that nobody caught, when the body threw, or at the assertion. A program that is killed has no report.
// SIGABRT, which a failed check() raises, SIGSEGV, SIGBUS, SIGFPE and SIGILL print the command that replays
// the run on standard error, before other handlers run; for other signals replay_command() gives it.
//
// The environment chooses the seeds: LEAT_SEED=N runs that seed alone and reports its result, LEAT_SEEDS=N
// runs 1 to N and reports what happened in all of them.
#pragma once

#include <leat/task.hpp>
#include <leat/testing/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace leat::testing {

struct simulate_options {
    std::uint64_t seeds = 100;  // runs it with 1 to this
    bool chaos = true;          // faults are drawn from the seed; else those of `network` count
    // Tasks run in an order that is drawn, instead of that in which they became ready. Code that relies on
    // the usual order, which is guaranteed, may fail then.
    bool random_order = false;
    duration time_limit = std::chrono::hours(24);  // virtual, for each run
    simulation_options network = {};               // but for its seed and its chaos

    // For the report: what the program is given to run this test only.
    std::string_view arguments = {};
    // How many assertions have failed so far; null when only exceptions tell.
    std::size_t (*failures)() = nullptr;
};

// The usual options, for this many seeds.
[[nodiscard]] constexpr simulate_options seeds(std::uint64_t count) noexcept {
    simulate_options options;
    options.seeds = count;
    return options;
}

struct simulation_report {
    bool failed = false;
    bool replayed = false;   // LEAT_SEED asked for it
    bool counted = false;    // LEAT_SEEDS asked for so many
    std::uint64_t runs = 0;  // with this one
    std::uint64_t seed = 0;  // of the last run, as all below
    std::uint64_t event_hash = 0;
    std::uint64_t events = 0;
    duration passed{};   // of virtual time
    std::string why;     // it failed, and what the run had reported
    std::string replay;  // the command

    // Of all runs together.
    struct {
        std::uint64_t events = 0;
        std::uint64_t faults = 0;  // that were injected
        duration passed{};         // of virtual time
        duration taken{};          // of the time on the wall
    } total;

    // All of that, in a few lines.
    [[nodiscard]] std::string text() const;
};

// Runs the task that `body` gives once for each seed, outside run(). Throws std::invalid_argument for an
// environment that names no number.
[[nodiscard]] simulation_report simulate(const std::function<task<>()>& body,
                                         const simulate_options& options = {});

namespace detail {

// The same, so that not every test makes a std::function.
[[nodiscard]] simulation_report simulate_function(task<> (*body)(), const simulate_options& options);

// An assertion has failed: keeps the list of tasks, if this thread is in a run of simulate() that has none.
void note_failure() noexcept;

}  // namespace detail

// The command for the run of simulate() that this thread is in; empty outside.
[[nodiscard]] std::string replay_command();

// `text` as a pattern for a shell's double quotes and for lists separated by commas: what they would take
// apart is `?`.
[[nodiscard]] std::string quoted_pattern(std::string_view text);

}  // namespace leat::testing
