// SPDX-License-Identifier: MIT
// simulation: a network in memory, with its time and its chance, for programs that run on it instead of on
// the kernel. Tests use it through <leat/testing/simulation.hpp>.
//
// Its sockets are descriptors that no kernel gives, from simulated_descriptors up. Anything else, such as
// pipes, processes and sockets of from_fd, is refused there with EOPNOTSUPP. So far it has one host, with
// the addresses 127.0.0.0/8 and ::1, and TCP.
//
// Invariant: what happens depends on the seed and on the programs alone, unless other threads wake them.
#pragma once

#include <leat/backends/backend.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace leat {

inline constexpr int simulated_descriptors = 1 << 24;

// How likely each thing is, from 0 to 1, whenever it can happen.
struct simulated_faults {
    double short_transfer = 0;   // a read or a write does only a part
    double late_start = 0;       // an operation that could complete at once does not
    double late_completion = 0;  // what has been done is told later: a cancel comes too late then
    double late_cancel = 0;      // what is cancelled ends later, perhaps with success
    duration delay = {};         // at most, for each of these
    duration latency = {};       // added to that of the network, at most, for whatever is sent
    double slow_segment = 0;     // or, so often, a hundred times as much
};

struct simulation_options {
    std::uint64_t seed = 1;
    // Draws faults from the seed: how likely each is, too. Those below do not count then.
    bool chaos = false;
    simulated_faults faults = {};
    duration latency = {};  // from one socket to another
    // As SO_SNDBUF and SO_RCVBUF would set them.
    std::size_t send_buffer = 128 * 1024;
    std::size_t receive_buffer = 128 * 1024;
    // The time of day when it begins: 2026-01-01.
    std::chrono::system_clock::time_point wall_start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
};

class simulated_network;

class simulation {
public:
    explicit simulation(const simulation_options& options = {});
    ~simulation();
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;

    // The backend of one run; it must end before the next is made, and before the simulation.
    [[nodiscard]] std::unique_ptr<backend> make_backend();

    // What has happened so far, in 64 bits, and how much.
    [[nodiscard]] std::uint64_t event_hash() const noexcept;
    [[nodiscard]] std::uint64_t events() const noexcept;
    [[nodiscard]] time_point now() const noexcept;
    // Sockets that no program has closed.
    [[nodiscard]] std::size_t open_sockets() const noexcept;

private:
    std::unique_ptr<simulated_network> network_;
};

// Open sockets of all simulations of this thread.
[[nodiscard]] std::size_t open_simulated_sockets() noexcept;

}  // namespace leat
