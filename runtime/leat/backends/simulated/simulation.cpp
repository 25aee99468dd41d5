// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/simulation.hpp>

#include <leat/backends/simulated/simulated_backend.hpp>

namespace leat {

simulation::simulation(const simulation_options& options)
    : network_(std::make_unique<simulated_network>(options)) {}

simulation::~simulation() {
    check(!network_->in_use, "a simulation ends after its last run");
}

std::unique_ptr<backend> simulation::make_backend() {
    return std::make_unique<simulated_backend>(*network_);
}

std::uint64_t simulation::event_hash() const noexcept {
    return network_->wire.hash.value();
}

std::uint64_t simulation::events() const noexcept {
    return network_->wire.hash.count();
}

time_point simulation::now() const noexcept {
    return network_->wire.events.now();
}

std::size_t simulation::open_sockets() const noexcept {
    return network_->open_sockets();
}

}  // namespace leat
