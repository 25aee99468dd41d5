// SPDX-License-Identifier: MIT
// simulated_hosts: the hosts of a simulated network: their addresses and names, and the sockets that are
// bound on each. Invariant: a name and an address, but for those of the loopback, belong to one host, and
// hosts stay where they are.
#pragma once

#include <leat/backends/simulated/file_system.hpp>
#include <leat/backends/simulated/host.hpp>
#include <leat/backends/simulated/port_table.hpp>

#include <deque>
#include <string_view>

namespace leat {

struct host_place {
    host_place(simulated_hosts& all, int number, std::string name, std::vector<std::string> addresses)
        : host(all, number, std::move(name), std::move(addresses)) {}

    // The sockets of a protocol, or with Unix addresses.
    [[nodiscard]] port_table& ports(int type) noexcept { return type == SOCK_DGRAM ? udp : tcp; }
    [[nodiscard]] const socket_name* address_of_family(bool ipv4) const noexcept;
    [[nodiscard]] bool has(const socket_name& name) const noexcept;

    simulated_host host;
    std::vector<socket_name> addresses;
    port_table tcp;
    port_table udp;
    std::map<std::string, simulated_socket*, std::less<>> paths;
    simulated_file_system files;
    simulated_disk disk;
};

class simulated_hosts {
public:
    simulated_hosts() { (void)add("localhost", {}); }

    simulated_host& add(std::string name, std::vector<std::string> addresses);
    void add_name(std::string_view name, const std::vector<std::string>& addresses);

    [[nodiscard]] host_place& at(int number) noexcept { return places_[static_cast<std::size_t>(number)]; }
    [[nodiscard]] bool is_up(int number) noexcept { return at(number).host.is_up(); }
    // The number of the host that `name` leads to from host `from`; -1 when there is none.
    [[nodiscard]] int find(int from, const socket_name& name) const noexcept;
    // The addresses of a name, in lower case or not; null if no host has it.
    [[nodiscard]] const std::vector<socket_name>* find_name(std::string_view name) const;
    // The one that the running task is on.
    [[nodiscard]] host_place& current() noexcept;
    // `host`'s number; it is one of these.
    [[nodiscard]] int number_of(const simulated_host& host) const noexcept;

    simulated_host::chooser chooser = nullptr;
    simulated_host::ender end_tasks = nullptr;

private:
    [[nodiscard]] int number_of_hosts() const noexcept { return static_cast<int>(places_.size()); }
    [[nodiscard]] std::vector<std::string> unused_addresses() const;

    std::deque<host_place> places_;
    std::map<std::string, std::vector<socket_name>, std::less<>> names_;
};

}  // namespace leat
