// SPDX-License-Identifier: MIT
// simulated_network: the sockets of a simulation, by descriptor, and how they find each other. Its answers
// are those of Linux: errno values, 0 for success. sockets.hpp offers them to programs.
// Invariant: a descriptor that is closed is the next one given, as on a kernel, when it is the lowest.
#pragma once

#include <leat/backends/simulated/port_table.hpp>

#include <set>

namespace leat {

class simulated_network {
public:
    explicit simulated_network(const simulation_options& options);
    ~simulated_network();
    simulated_network(const simulated_network&) = delete;
    simulated_network& operator=(const simulated_network&) = delete;

    [[nodiscard]] result<int> open(int family, int type, int protocol);
    // Null when nothing is open there.
    [[nodiscard]] simulated_socket* find(int descriptor) const noexcept;
    [[nodiscard]] std::size_t open_sockets() const noexcept { return sockets_.size() - unused_.size(); }
    void close(simulated_socket& socket);

    int bind(simulated_socket& socket, const sockaddr* address, socklen_t size);
    int listen(simulated_socket& socket, int backlog);
    // Resets the connections in the queue.
    void stop_listening(simulated_socket& socket);
    // 0: it is under way. The socket is touched when it has ended.
    int connect(simulated_socket& socket, const sockaddr* address, socklen_t size);
    // The socket of the connection that waited longest; null when none does.
    [[nodiscard]] simulated_socket* accept(simulated_socket& listener);

    simulated_wire wire;
    const simulation_options options;
    bool in_use = false;  // by the backend of a run

private:
    using connection_pointer = std::shared_ptr<simulated_connection>;

    simulated_socket& add_socket(int family);
    int route(simulated_socket& socket, socket_name& remote);
    void arrive_request(const connection_pointer& link, int tries);
    void establish(simulated_connection& link);
    void fail(simulated_connection& link, int error);

    std::vector<std::shared_ptr<simulated_socket>> sockets_;
    std::set<std::size_t> unused_;  // places in sockets_
    port_table ports_;
};

}  // namespace leat
