// SPDX-License-Identifier: MIT
// simulated_network: the sockets of a simulation, by descriptor, and how they find each other. Its answers
// are those of Linux: errno values, 0 for success. sockets.hpp offers them to programs.
// Invariant: a descriptor that is closed is the next one given, as on a kernel, when it is the lowest; and no
// two simulations of a thread have the same descriptors at the same time.
#pragma once

#include <leat/backends/simulated/files.hpp>
#include <leat/backends/simulated/hosts.hpp>

#include <set>

namespace leat {

class simulated_network {
public:
    explicit simulated_network(const simulation_options& options);
    ~simulated_network();
    simulated_network(const simulated_network&) = delete;
    simulated_network& operator=(const simulated_network&) = delete;

    // On the host of the running task.
    [[nodiscard]] result<int> open(int family, int type, int protocol);
    // Null when nothing is open there.
    [[nodiscard]] simulated_socket* find(int descriptor) const noexcept;
    // Which of the descriptors of this simulation it is, for the record.
    [[nodiscard]] std::uint64_t place_of(int descriptor) const noexcept {
        return static_cast<std::uint64_t>(std::int64_t{descriptor} - first_descriptor);
    }
    [[nodiscard]] std::size_t open_sockets() const noexcept { return sockets_.size() - unused_.size(); }
    void close(simulated_socket& socket);
    template <typename Function>
    void for_each_socket(Function function) {
        for (const auto& each : sockets_) {
            if (each != nullptr) {
                function(*each);
            }
        }
    }
    // Closes it in whichever simulation of this thread has it, between runs.
    static void close_anywhere(int descriptor) noexcept;

    int bind(simulated_socket& socket, const sockaddr* address, socklen_t size);
    int listen(simulated_socket& socket, int backlog);
    int shut_down(simulated_socket& socket, int how);
    // Resets the connections in the queue.
    void stop_listening(simulated_socket& socket);
    // 0: it is under way. The socket is touched when it has ended.
    int connect(simulated_socket& socket, const sockaddr* address, socklen_t size);
    // Whether there is a connection to accept; if so, the socket of the one that waited longest.
    [[nodiscard]] bool acceptable(simulated_socket& listener);
    [[nodiscard]] simulated_socket& accept(simulated_socket& listener);
    // Resets that connection instead.
    void refuse(simulated_socket& listener);

    // Of datagrams. A count, or a negated errno.
    int connect_datagrams(simulated_socket& socket, const sockaddr* address, socklen_t size);
    std::int64_t send_datagram(simulated_socket& socket, std::vector<std::byte> bytes);
    // To that address instead of the peer's.
    std::int64_t send_datagram_to(simulated_socket& socket, std::vector<std::byte> bytes,
                                  const sockaddr* address, socklen_t size);

    void crash(simulated_host& host);
    void restart(simulated_host& host);
    // For a lack of descriptors or memory that is injected: which. 0: there is none.
    [[nodiscard]] int draw_shortage() noexcept;

    simulated_wire wire;
    simulated_hosts hosts;
    const simulation_options options;
    const int first_descriptor;
    simulated_files files;
    bool in_use = false;  // by the backend of a run

private:
    using connection_pointer = std::shared_ptr<simulated_connection>;
    using datagram = simulated_socket::datagram;

    simulated_socket& add_socket(int family, int type, int host);
    int bind_path(simulated_socket& socket, const socket_name& name);
    [[nodiscard]] port_table& ports_of(const simulated_socket& socket) noexcept {
        return hosts.at(socket.host).ports(socket.type);
    }
    void unbind(simulated_socket& socket) noexcept;
    // The host that `remote` is on; or a negated errno.
    int find_target(const simulated_socket& socket, socket_name& remote) const;
    // The same for a socket that has, or is given, a name that leads there.
    int route(simulated_socket& socket, socket_name& remote);
    // Where what `socket` sends there comes from; its port is 0 when it is not bound.
    [[nodiscard]] result<socket_name> own_name(const simulated_socket& socket, const socket_name& remote,
                                               int target);
    int name_for(simulated_socket& socket, const socket_name& remote, int target);
    [[nodiscard]] simulated_socket* listener_for(const simulated_connection& link) noexcept;
    void send_request(const connection_pointer& link, int tries);
    void arrive_request(const connection_pointer& link, int tries);
    void answer_refused(const connection_pointer& link, int tries);
    void ask_again(const connection_pointer& link, int tries);
    void establish(simulated_connection& link);
    void fail(simulated_connection& link, int error);
    int bind_anywhere(simulated_socket& socket);
    std::int64_t post_datagram(simulated_socket& socket, datagram sent, int target, const socket_name& to);
    void arrive_datagram(int from, const datagram& sent, int to, const socket_name& target);
    void answer_unreachable(int from, const socket_name& sender, int to, const socket_name& target);
    void die(simulated_socket& socket);

    std::vector<std::shared_ptr<simulated_socket>> sockets_;
    std::set<std::size_t> unused_;  // places in sockets_
};

}  // namespace leat
