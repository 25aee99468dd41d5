// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/simulation.hpp>

#include <leat/backends/simulated/simulated_backend.hpp>

#include <unistd.h>

namespace leat {

simulation::simulation(const simulation_options& options)
    : network_(std::make_unique<simulated_network>(options)) {}

simulation::~simulation() {
    check(!network_->in_use, "a simulation ends after its last run");
}

std::unique_ptr<backend> simulation::make_backend() {
    return std::make_unique<simulated_backend>(*network_);
}

simulated_host& simulation::default_host() noexcept {
    return network_->hosts.at(0).host;
}

simulated_host& simulation::add_host(std::string name, const std::vector<std::string>& addresses) {
    return network_->hosts.add(std::move(name), addresses);
}

void simulation::add_name(std::string_view name, const std::vector<std::string>& addresses) {
    network_->hosts.add_name(name, addresses);
}

void simulation::set_link(const simulated_host& a, const simulated_host& b, const simulated_link& link) {
    const int one = network_->hosts.number_of(a);
    const int other = network_->hosts.number_of(b);
    network_->wire.links.set(one, other, link);
    network_->wire.links.set(other, one, link);
}

void simulation::set_disk(simulated_host& host, const simulated_disk& disk) {
    host_place& place = network_->hosts.at(network_->hosts.number_of(host));
    place.disk = disk;
    place.files.capacity = disk.capacity;
}

void simulation::cut_one_way(const simulated_host& from, const simulated_host& to) {
    network_->wire.links.cut(network_->hosts.number_of(from), network_->hosts.number_of(to));
}

void simulation::cut(const simulated_host& a, const simulated_host& b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
}

void simulation::clog(const simulated_host& from, const simulated_host& to, duration how_long) {
    network_->wire.links.clog(network_->hosts.number_of(from), network_->hosts.number_of(to),
                              after(now(), how_long));
}

void simulation::mend(const simulated_host& a, const simulated_host& b) {
    const int one = network_->hosts.number_of(a);
    const int other = network_->hosts.number_of(b);
    network_->wire.links.mend(one, other);
    network_->wire.links.mend(other, one);
}

void simulation::partition(host_list one, host_list other) {
    for (const simulated_host& each : one) {
        for (const simulated_host& peer : other) {
            cut(each, peer);
        }
    }
}

void simulation::begin_faults() noexcept {
    network_->wire.faults.begin();
}

void simulation::heal() {
    network_->wire.links.mend_all();
    network_->wire.faults.stop();
}

// Its tasks are cancelled first: they do not hear of the end of their sockets.
void simulation::crash(simulated_host& host) {
    if (network_->hosts.end_tasks != nullptr) {
        network_->hosts.end_tasks(host);
    }
    network_->crash(host);
}

void simulation::restart(simulated_host& host) {
    network_->restart(host);
}

std::vector<injected_fault> simulation::faults_injected() const {
    return network_->wire.faults.injected();
}

std::uint64_t simulation::seed() const noexcept {
    return network_->options.seed;
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

void close_descriptor(int fd) noexcept {
    if (fd < simulated_descriptors) {
        ::close(fd);
    } else {
        simulated_network::close_anywhere(fd);
    }
}

}  // namespace leat
