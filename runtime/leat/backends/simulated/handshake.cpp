// SPDX-License-Identifier: MIT
// How the sockets of a simulated_network find each other: connect, and accept.
#include <leat/backends/simulated/network.hpp>

namespace leat {

namespace {

using phase = simulated_socket::phase;

constexpr int requests_max = 7;  // the first, and net.ipv4.tcp_syn_retries

}  // namespace

// Finds the way to `remote`, and gives the socket a name there if it has none.
int simulated_network::route(simulated_socket& socket, socket_name& remote) {
    if (remote.is_any()) {
        remote = remote.at_loopback();
    }
    const bool family_fits = socket.family == AF_INET || !remote.is_ipv4() || !socket.only_ipv6;
    if (!remote.is_local() || !family_fits) {
        return ENETUNREACH;
    }
    if (!socket.bound) {
        socket_name name = remote.at_loopback();
        name.port = ports_.choose(socket, name);
        if (name.port == 0) {
            return EADDRNOTAVAIL;
        }
        ports_.add(socket, name);
        socket.port_chosen = true;
    } else if (socket.local.is_any()) {
        const std::uint16_t port = socket.local.port;
        socket.local = remote.at_loopback();
        socket.local.port = port;
    }
    return socket.local.is_ipv4() == remote.is_ipv4() ? 0 : ENETUNREACH;
}

int simulated_network::connect(simulated_socket& socket, const sockaddr* address, socklen_t size) {
    const result<socket_name> read = socket_name::read(address, size, socket.family);
    if (!read) {
        return read.error().value();
    }
    if (socket.state != phase::fresh) {
        return socket.state == phase::connecting ? EALREADY : EISCONN;
    }
    socket_name remote = *read;
    if (const int error = route(socket, remote)) {
        return error;
    }
    socket.link = std::make_shared<simulated_connection>(wire, socket.local, remote);
    socket.side = 0;
    socket.link->attach(0, socket);
    socket.state = phase::connecting;
    const connection_pointer link = socket.link;
    link->carry(0, [this, link] { arrive_request(link, 1); });
    return 0;
}

// A full queue drops the request, and the client asks again, after 1 s, 2 s, 4 s, ...
void simulated_network::arrive_request(const connection_pointer& link, int tries) {
    if (link->closed(0)) {
        return;
    }
    simulated_socket* const listener = ports_.listener_for(link->name(1), link->name(0).port);
    if (listener == nullptr) {
        link->carry(1, [this, &to = *link] { fail(to, ECONNREFUSED); });
        return;
    }
    if (listener->full()) {
        wire.note(simulated_event::lost, link->name(1).port, tries);
        const auto pause = std::chrono::seconds(1) * (1 << (tries - 1));
        wire.events.after(pause, [this, link, tries] {
            if (tries < requests_max) {
                arrive_request(link, tries + 1);
            } else {
                fail(*link, ETIMEDOUT);
            }
        });
        return;
    }
    link->set_send_buffer(1, listener->send_buffer);
    link->set_receive_buffer(1, listener->receive_buffer);
    listener->queue.push_back(link);
    wire.touch(*listener);
    link->carry(1, [this, &to = *link] { establish(to); });
}

void simulated_network::establish(simulated_connection& link) {
    link.open();
    simulated_socket* const client = link.owner(0);
    if (client == nullptr) {
        link.send_reset(0);
        return;
    }
    wire.note(simulated_event::connected, link.name(0).port, link.name(1).port);
    link.set_send_buffer(0, client->send_buffer);
    link.set_receive_buffer(0, client->receive_buffer);
    client->state = phase::connected;
    wire.touch(*client);
}

void simulated_network::fail(simulated_connection& link, int error) {
    simulated_socket* const client = link.owner(0);
    if (client == nullptr) {
        return;
    }
    wire.note(simulated_event::refused, link.name(1).port, error);
    client->error = error;
    client->state = phase::fresh;
    wire.touch(*client);
    if (std::exchange(client->port_chosen, false)) {
        ports_.remove(*client);
    }
    link.close(0, false);
    client->link = nullptr;  // perhaps the last reference
}

simulated_socket* simulated_network::accept(simulated_socket& listener) {
    if (listener.queue.empty()) {
        return nullptr;
    }
    const connection_pointer link = std::move(listener.queue.front());
    listener.queue.pop_front();
    simulated_socket& accepted = add_socket(listener.family);
    accepted.state = phase::connected;
    accepted.options = listener.options;
    accepted.only_ipv6 = listener.only_ipv6;
    accepted.reuse_address = listener.reuse_address;
    accepted.reuse_port = listener.reuse_port;
    accepted.reset_on_close = listener.reset_on_close;
    accepted.send_buffer = listener.send_buffer;
    accepted.receive_buffer = listener.receive_buffer;
    accepted.link = link;
    accepted.side = 1;
    link->attach(1, accepted);
    ports_.add(accepted, link->name(1));
    return &accepted;
}

}  // namespace leat
