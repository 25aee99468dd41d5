// SPDX-License-Identifier: MIT
// port_table: the sockets of a simulated host by the port of a protocol that they are bound to, and which of
// them listen.
// Invariant: sockets of one port are in the order in which they were bound.
#pragma once

#include <leat/backends/simulated/socket.hpp>

#include <vector>

namespace leat {

class port_table {
public:
    // Whether `socket` may have `name`, given the other sockets there (bind(2), SO_REUSEADDR, SO_REUSEPORT).
    [[nodiscard]] bool free_for(const simulated_socket& socket, const socket_name& name) const;
    // A port between 32768 and 60999 at which `name` is free; 0 when there is none.
    [[nodiscard]] std::uint16_t choose(const simulated_socket& socket, socket_name name);

    // Binds; the socket leaves when it is removed.
    void add(simulated_socket& socket, const socket_name& name);
    void remove(simulated_socket& socket);

    // The listener for a connection to `to` that comes from the port `from`; null if there is none.
    [[nodiscard]] simulated_socket* listener_for(const socket_name& to, std::uint16_t from) const;
    // The socket for a datagram to `to` from there; null if there is none.
    [[nodiscard]] simulated_socket* receiver_for(const socket_name& to, const socket_name& from) const;

private:
    std::map<std::uint16_t, std::vector<simulated_socket*>> bound_;
    std::uint16_t next_ = 32768;
};

}  // namespace leat
