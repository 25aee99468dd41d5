// SPDX-License-Identifier: MIT
#include <leat/testing/simulation.hpp>

#include <leat/backends/simulated/chance.hpp>

namespace leat::testing {

namespace {

constinit thread_local simulation* in_use = nullptr;

}  // namespace

// A second run on one simulation draws what the first has not.
detail::simulation_in_use::simulation_in_use(simulation& world)
    : before_(std::exchange(in_use, &world)),
      drawn_(world.seed() ^ scramble(world.events()) ^
             static_cast<std::uint64_t>(world.now().time_since_epoch().count())) {}

detail::simulation_in_use::~simulation_in_use() {
    in_use = before_;
}

simulation& current_simulation() {
    check(in_use != nullptr, "current_simulation() is called in a simulation");
    return *in_use;
}

}  // namespace leat::testing
