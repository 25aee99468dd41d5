// SPDX-License-Identifier: MIT
// UDP of a simulated_network. What arrives nowhere is answered as by ICMP, and the next call of a connected
// sender fails with ECONNREFUSED.
#include <leat/backends/simulated/network.hpp>

namespace leat {

namespace {

// Of what UDP can carry over IPv4 and IPv6.
constexpr std::size_t largest_over_ipv4 = 65507;
constexpr std::size_t largest_over_ipv6 = 65527;
constexpr duration overtaking = std::chrono::milliseconds(10);

// An IPv6 socket takes the names of IPv4, too.
result<socket_name> read_name(const simulated_socket& socket, const sockaddr* name, socklen_t size) {
    const bool ipv4 = name != nullptr && size >= sizeof name->sa_family && name->sa_family == AF_INET;
    return socket_name::read(name, size, ipv4 && socket.family == AF_INET6 ? AF_INET : socket.family);
}

}  // namespace

// The latest peer counts.
int simulated_network::connect_datagrams(simulated_socket& socket, const sockaddr* address, socklen_t size) {
    const result<socket_name> read = read_name(socket, address, size);
    if (!read) {
        return read.error().value();
    }
    socket_name remote = *read;
    const int target = route(socket, remote);
    if (target < 0) {
        return -target;
    }
    socket.datagrams.peer = remote;
    return 0;
}

std::int64_t simulated_network::send_datagram(simulated_socket& socket, std::vector<std::byte> bytes) {
    if (const int error = socket.take_error()) {
        return -error;
    }
    if (!socket.datagrams.peer.has_value()) {
        return socket.datagrams.send_shut ? -EPIPE : -EDESTADDRREQ;
    }
    const socket_name peer = *socket.datagrams.peer;
    return post_datagram(socket, {socket.local, std::move(bytes)}, hosts.find(socket.host, peer), peer);
}

std::int64_t simulated_network::send_datagram_to(simulated_socket& socket, std::vector<std::byte> bytes,
                                                 const sockaddr* address, socklen_t size) {
    const result<socket_name> read = read_name(socket, address, size);
    if (!read || read->port == 0) {
        return read ? -EINVAL : -read.error().value();
    }
    socket_name to = *read;
    const int target = find_target(socket, to);
    const int unnamed = target >= 0 ? bind_anywhere(socket) : -target;
    if (unnamed != 0) {
        return -unnamed;
    }
    const result<socket_name> from = own_name(socket, to, target);
    if (!from) {
        return -from.error().value();
    }
    if (const int error = socket.take_error()) {
        return -error;
    }
    return post_datagram(socket, {*from, std::move(bytes)}, target, to);
}

// Gives a socket without a port one; it is at all addresses of its host.
int simulated_network::bind_anywhere(simulated_socket& socket) {
    if (socket.bound) {
        return 0;
    }
    socket_name name = socket_name::any(socket.family);
    name.port = ports_of(socket).choose(socket, name);
    if (name.port == 0) {
        return EADDRNOTAVAIL;
    }
    ports_of(socket).add(socket, name);
    return 0;
}

std::int64_t simulated_network::post_datagram(simulated_socket& socket, datagram sent, int target,
                                              const socket_name& to) {
    if (socket.datagrams.send_shut) {
        return -EPIPE;
    }
    if (sent.bytes.size() > (to.is_ipv4() ? largest_over_ipv4 : largest_over_ipv6)) {
        return -EMSGSIZE;
    }
    const auto size = static_cast<std::int64_t>(sent.bytes.size());
    const bool lost = wire.strikes(&simulated_faults::lost_datagram);
    const int copies = lost ? 0 : wire.strikes(&simulated_faults::twice) ? 2 : 1;
    const auto shared = std::make_shared<const datagram>(std::move(sent));
    for (int copy = 0; copy < copies; ++copy) {
        const auto leave = [this, shared, from = socket.host, target, to] {
            wire.post(
                from, target, shared->bytes.size(), [=, this] { arrive_datagram(from, *shared, target, to); },
                [] {});
        };
        if (wire.strikes(&simulated_faults::overtaken)) {
            wire.events.after(wire.luck.up_to(overtaking), leave);
        } else {
            leave();
        }
    }
    return size;
}

void simulated_network::arrive_datagram(int from, const datagram& sent, int to, const socket_name& target) {
    wire.note(simulated_event::arrived, std::uint64_t{sent.from.port} << 16 | target.port,
              static_cast<std::int64_t>(sent.bytes.size()));
    simulated_socket* const receiver = hosts.at(to).udp.receiver_for(target, sent.from);
    if (receiver == nullptr) {
        wire.post(
            to, from, 0, [=, this, sender = sent.from] { answer_unreachable(from, sender, to, target); },
            [] {});
        return;
    }
    simulated_socket::datagram_state& state = receiver->datagrams;
    if (state.bytes + sent.bytes.size() <= receiver->receive_buffer) {
        state.bytes += sent.bytes.size();
        state.arrived.push_back(sent);
        wire.touch(*receiver);
    }
}

void simulated_network::answer_unreachable(int from, const socket_name& sender, int to,
                                           const socket_name& target) {
    simulated_socket* const told = hosts.at(from).udp.receiver_for(sender, target);
    if (told != nullptr && told->datagrams.peer == target) {
        wire.note(simulated_event::refused, target.port, to);
        told->error = ECONNREFUSED;
        wire.touch(*told);
    }
}

}  // namespace leat
