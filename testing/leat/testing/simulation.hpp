// SPDX-License-Identifier: MIT
// run_simulated: run() on a network in memory instead of the kernel. Time is virtual: when every task waits
// it jumps to what comes next, so a day passes at once. Tasks that wait for what cannot come are a deadlock.
//
//   leat::testing::run_simulated([]() -> leat::task<> { ... }, {.seed = 7, .chaos = true});
//
// A simulation of one's own tells more, such as event_hash(), and can be run on several times.
#pragma once

#include <leat/backends/simulated/simulation.hpp>
#include <leat/run.hpp>

namespace leat::testing {

// run(), on `world`. Of the options the backend does not count.
template <typename Function>
    requires std::invocable<Function>
detail::given_by<Function> run_simulated(simulation& world, Function&& function, run_options options = {},
                                         std::source_location where = std::source_location::current()) {
    const detail::lookers lookers(options);
    scheduler loop(world.make_backend(), options.report != nullptr ? options.report : detail::print_report,
                   lookers.how);
    return detail::run_on(loop, where, std::forward<Function>(function));
}

// The same on a simulation that is there for this run only.
template <typename Function>
    requires std::invocable<Function>
detail::given_by<Function> run_simulated(Function&& function, const simulation_options& how = {},
                                         run_options options = {},
                                         std::source_location where = std::source_location::current()) {
    simulation world(how);
    return run_simulated(world, std::forward<Function>(function), options, where);
}

}  // namespace leat::testing
