// SPDX-License-Identifier: MIT
// run_simulated: run() on a network in memory instead of the kernel. Time is virtual: when every task waits
// it jumps to the next event, so a day passes at once. If there is no next event, that is a deadlock.
//
//   leat::testing::run_simulated([]() -> leat::task<> { ... }, {.seed = 7, .chaos = true});
//
// A simulation object gives more, such as event_hash(), can be used for several runs, and has hosts:
//
//   leat::simulation world;
//   leat::simulated_host& server = world.add_host("server");
//   run_simulated(world, [&]() -> leat::task<> { co_await leat::testing::on_host(server, serve()); });
#pragma once

#include <leat/backends/simulated/simulation.hpp>
#include <leat/run.hpp>
#include <leat/task_local.hpp>
#include <leat/testing/seeded_randomness.hpp>

namespace leat::testing {

// The host that a task is on: on_host() binds it.
inline constinit task_local<simulated_host*> host_of_task;

namespace detail {

// Lets `host`'s simulation know which tasks are on it.
void tell_hosts_of_tasks(simulated_host& host) noexcept;

}  // namespace detail

// co_await on_host(host, X): what X gives, which is an awaitable, a task, or a callable that gives a task. It
// and the tasks that are spawned in it open their sockets on that host of the simulation they run on, and are
// cancelled when that crashes: then it throws task_cancelled, and nothing when X completed all the same. What
// it opened stays there.
template <typename X>
[[nodiscard]] leat::detail::binding_awaiter<X> on_host(simulated_host& host, X&& x) {
    detail::tell_hosts_of_tasks(host);
    return host_of_task.with(&host, std::forward<X>(x));
}

// The simulation that this thread runs on; misuse outside one.
[[nodiscard]] simulation& current_simulation();

namespace detail {

// Makes `world` the current simulation for as long as it lives, and lets OpenSSL draw from its seed.
class simulation_in_use {
public:
    explicit simulation_in_use(simulation& world);
    ~simulation_in_use();
    simulation_in_use(const simulation_in_use&) = delete;
    simulation_in_use& operator=(const simulation_in_use&) = delete;

private:
    simulation* before_;
    seeded_randomness drawn_;
};

}  // namespace detail

// run(), on `world`. Of the options the backend does not count.
template <typename Function>
    requires std::invocable<Function>
leat::detail::given_by<Function> run_simulated(simulation& world, Function&& function,
                                               run_options options = {},
                                               std::source_location where = std::source_location::current()) {
    const detail::simulation_in_use used(world);
    const leat::detail::run_observation observed(options);
    scheduler loop(world.make_backend(),
                   options.report != nullptr ? options.report : leat::detail::print_report, observed.how);
    return leat::detail::run_on(loop, where, std::forward<Function>(function));
}

// The same on a simulation that is there for this run only.
template <typename Function>
    requires std::invocable<Function>
leat::detail::given_by<Function> run_simulated(Function&& function, const simulation_options& how = {},
                                               run_options options = {},
                                               std::source_location where = std::source_location::current()) {
    simulation world(how);
    return run_simulated(world, std::forward<Function>(function), options, where);
}

}  // namespace leat::testing
