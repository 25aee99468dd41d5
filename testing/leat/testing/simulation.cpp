// SPDX-License-Identifier: MIT
#include <leat/testing/simulation.hpp>

#include <leat/backends/simulated/chance.hpp>
#include <leat/observe/core/dump_tree.hpp>

namespace leat::testing {

namespace {

constinit thread_local simulation* in_use = nullptr;

constexpr cancel_reason crash_reason{"its host crashed"};

simulated_host* current_host() noexcept {
    simulated_host* const* const bound = host_of_task.get();
    return bound != nullptr ? *bound : nullptr;
}

const simulated_host* host_in(const leat::detail::binding& entry) noexcept {
    return entry.key == &host_of_task ? static_cast<const leat::detail::bound<simulated_host*>&>(entry).value
                                      : nullptr;
}

// The outermost part of `task` that is on `host`: an on_host around what it does now, or all of it, when it
// was spawned there; null when it is elsewhere.
leat::detail::scope_node* part_on(task_state& task, const simulated_host& host) noexcept {
    leat::detail::scope_node* outermost = nullptr;
    const leat::detail::binding* entry = task.bindings.newest();
    for (leat::detail::scope_node* scope = task.innermost; scope != &task.own(); scope = scope->parent) {
        if (scope->kind == leat::detail::scope_kind::binding) {  // each has bound one local
            outermost = host_in(*entry) == &host ? scope : outermost;
            entry = entry->below.get();
        }
    }
    while (entry != nullptr && host_in(*entry) == nullptr) {  // of what its spawner had
        entry = entry->below.get();
    }
    return entry != nullptr && host_in(*entry) == &host ? &task.own() : outermost;
}

// The tasks of services, such as the resolver's, are on no host.
void end_tasks_on(const simulated_host& host) {
    if (this_thread.loop == nullptr) {
        return;
    }
    for (const leat::detail::dump_entry& each : leat::detail::tasks_by_owner(*this_thread.loop)) {
        if (each.task != nullptr) {
            if (leat::detail::scope_node* const part = part_on(*each.task, host)) {
                part->cancel(crash_reason);
            }
        }
    }
}

}  // namespace

// A second run on one simulation draws what the first has not.
detail::simulation_in_use::simulation_in_use(simulation& world)
    : before_(std::exchange(in_use, &world)),
      drawn_(world.seed() ^ scramble(world.events()) ^
             static_cast<std::uint64_t>(world.now().time_since_epoch().count())) {}

detail::simulation_in_use::~simulation_in_use() {
    in_use = before_;
}

void detail::tell_hosts_of_tasks(simulated_host& host) noexcept {
    host.choose_by(current_host, end_tasks_on);
}

simulation& current_simulation() {
    check(in_use != nullptr, "current_simulation() is called in a simulation");
    return *in_use;
}

}  // namespace leat::testing
