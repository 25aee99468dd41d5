// SPDX-License-Identifier: MIT
// simulated_host: a machine of a simulation, as its users see it. simulation::add_host makes it, and
// testing::on_host lets tasks run there. Its internal state is in hosts.hpp.
#pragma once

#include <leat/clock.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace leat {

class simulated_hosts;

// Where the files of a host are.
struct simulated_disk {
    std::uint64_t capacity = 0;  // bytes, counted by pages of 4096; 0: there is no limit
    duration latency = std::chrono::microseconds(100);     // of each call on a file
    duration sync_latency = std::chrono::milliseconds(2);  // of a sync
};

class simulated_host {
public:
    // The host of the running task; null for the default one.
    using chooser = simulated_host* (*)() noexcept;
    // Cancels the tasks on a host.
    using ender = void (*)(const simulated_host&);

    simulated_host(simulated_hosts& all, int number, std::string name, std::vector<std::string> addresses)
        : all_(all), number_(number), name_(std::move(name)), addresses_(std::move(addresses)) {}
    simulated_host(const simulated_host&) = delete;
    simulated_host& operator=(const simulated_host&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // As text, best first; without the loopback's.
    [[nodiscard]] const std::vector<std::string>& addresses() const noexcept { return addresses_; }
    [[nodiscard]] bool is_up() const noexcept { return up_; }
    // In the order of their making; the default host is 0.
    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] const simulated_hosts& all() const noexcept { return all_; }

    // For on_host: whom the simulation of this host asks when a socket is opened, and whom it tells that a
    // host is about to crash.
    void choose_by(chooser current, ender end_tasks) noexcept;
    // For the simulation.
    void set_up(bool up) noexcept { up_ = up; }

private:
    simulated_hosts& all_;
    const int number_;
    const std::string name_;
    const std::vector<std::string> addresses_;
    bool up_ = true;
};

}  // namespace leat
