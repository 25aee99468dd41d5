// SPDX-License-Identifier: MIT
// simulation: a network in memory, with virtual time and random numbers from a seed, for programs that run on
// it instead of on the kernel. Tests use it through <leat/testing/simulation.hpp>.
//
// It has hosts, on which TCP, UDP and Unix stream sockets are opened, and links between them, which can be
// slow, lossy or cut. Its sockets are descriptors that no kernel gives, from simulated_descriptors up.
// Anything else, such as pipes, processes, signals and sockets of from_fd, is refused there with EOPNOTSUPP.
//
// Invariant: a run depends only on the seed and the programs, unless other threads wake tasks.
#pragma once

#include <leat/backends/simulated/faults.hpp>
#include <leat/backends/simulated/host.hpp>
#include <leat/core/backend.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

inline constexpr int simulated_descriptors = 1 << 24;

// What is between two hosts, each way.
struct simulated_link {
    duration latency = {};
    duration spread = {};         // added to the latency, at most
    double loss = 0;              // of what is sent: a datagram is lost, and what TCP sends comes later
    std::uint64_t bandwidth = 0;  // bytes a second; 0: there is no limit
};

struct simulation_options {
    std::uint64_t seed = 1;
    // Draws faults from the seed, how likely each is too: those that no program should notice, such as short
    // and late transfers. The rates below do not count then.
    bool chaos = false;
    // With chaos: also those that make operations fail, such as resets and a lack of descriptors.
    bool failures = false;
    simulated_faults faults = {};
    // None of these happens before begin_faults(): what a test sets up, such as a bind, is not hit.
    bool quiet_start = false;
    duration latency = {};  // from one socket to another, where no link says otherwise
    // As SO_SNDBUF and SO_RCVBUF would set them.
    std::size_t send_buffer = 128 * 1024;
    std::size_t receive_buffer = 128 * 1024;
    // The time of day when it begins: 2026-01-01.
    std::chrono::system_clock::time_point wall_start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
};

class simulated_network;

class simulation {
public:
    using host_list = std::initializer_list<std::reference_wrapper<simulated_host>>;

    explicit simulation(const simulation_options& options = {});
    ~simulation();
    simulation(const simulation&) = delete;
    simulation& operator=(const simulation&) = delete;

    // The backend of one run; it must end before the next is made, and before the simulation.
    [[nodiscard]] std::unique_ptr<backend> make_backend();

    // The host that tasks are on unless on_host() says otherwise: "localhost", which has only the loopback
    // addresses that every host has for itself, 127.0.0.0/8 and ::1.
    [[nodiscard]] simulated_host& default_host() noexcept;
    // A host with these addresses ("10.0.0.1", "fd00::1"), or if there are none with one of each family that
    // nobody has. It lives as long as the simulation. Throws std::invalid_argument for what is no address,
    // and for a name or an address that another host has.
    simulated_host& add_host(std::string name, const std::vector<std::string>& addresses = {});
    // `name` is resolved to these addresses from now on; to none: it is unknown. Every host's own name is
    // resolved to its addresses. Throws std::invalid_argument for what is no address.
    void add_name(std::string_view name, const std::vector<std::string>& addresses);

    // Says what is between `a` and `b`, which may be the same host: its loopback.
    void set_link(const simulated_host& a, const simulated_host& b, const simulated_link& link);
    // Says what the disk of `host` is like.
    void set_disk(simulated_host& host, const simulated_disk& disk);

    // Nothing gets from `from` to `to`, or either way, until it is mended. Datagrams are lost. TCP sends
    // again what was lost, after 200 ms, 400 ms and so on up to 2 min, and fails with ETIMEDOUT after 924.6 s
    // (as tcp_retries2 = 15 makes it); a connect after 127 s. No acknowledgements are simulated: what is cut
    // one way holds up that way only, but for a connect, which needs both.
    void cut_one_way(const simulated_host& from, const simulated_host& to);
    void cut(const simulated_host& a, const simulated_host& b);
    // What is sent from `from` to `to` in this time arrives after it.
    void clog(const simulated_host& from, const simulated_host& to, duration how_long);
    void mend(const simulated_host& a, const simulated_host& b);
    // Cuts every link from a host of one side to a host of the other.
    void partition(host_list one, host_list other);
    // Faults happen from now on, as likely as the options say: after a quiet start, or again after heal().
    void begin_faults() noexcept;
    // Mends every link, and ends all faults: from now on none is injected, so that programs can be expected
    // to recover. What waits for a link is sent again within 2 min. Latency and loss of links stay, and so do
    // hosts that are down.
    void heal();

    // The host is gone at once: its tasks (testing::on_host) are cancelled, its sockets close, and nobody is
    // told. The tasks unwind and no longer reach the network: what a cleanup of theirs, or anybody else, asks
    // of these sockets fails with ESHUTDOWN from now on, and opening one with ENETDOWN until the host is up
    // again. Restarting it starts no task. Peers hear nothing: what they send waits as for a link that is
    // cut, and is answered by a reset once the host is up. Of its files there is what was synced; for each
    // change that was not, chance decides (file_system.hpp). Throws std::bad_alloc.
    void crash(simulated_host& host);
    void restart(simulated_host& host);

    // The faults that were injected so far, by kind, without those that never were.
    [[nodiscard]] std::vector<injected_fault> faults_injected() const;
    [[nodiscard]] std::uint64_t seed() const noexcept;
    // What has happened so far, in 64 bits, and how much.
    [[nodiscard]] std::uint64_t event_hash() const noexcept;
    [[nodiscard]] std::uint64_t events() const noexcept;
    [[nodiscard]] time_point now() const noexcept;
    // Sockets that no program has closed.
    [[nodiscard]] std::size_t open_sockets() const noexcept;

private:
    std::unique_ptr<simulated_network> network_;
};

// Open sockets of all simulations of this thread, and open files.
[[nodiscard]] std::size_t open_simulated_sockets() noexcept;
[[nodiscard]] std::size_t open_simulated_files() noexcept;

}  // namespace leat
