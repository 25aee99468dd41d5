// SPDX-License-Identifier: MIT
// How the sockets of a simulated_network find each other: connect, and accept.
//
// Theory of operation. A request goes to the server, which queues it and answers; the client's word that it
// has the answer makes the connection one to accept. Whatever of the first two is lost, the client asks
// again, after 1 s, 2 s, 4 s and so on; the third goes with the client's bytes, as they do sent again.
#include <leat/backends/simulated/network.hpp>

#include <algorithm>

namespace leat {

namespace {

using phase = simulated_socket::phase;
using step = simulated_connection::step;

constexpr int requests_max = 7;  // the first, and net.ipv4.tcp_syn_retries
constexpr duration answer_limit = std::chrono::seconds((1 << requests_max) - 1);

}  // namespace

int simulated_network::find_target(const simulated_socket& socket, socket_name& remote) const {
    if (remote.is_any()) {
        remote = remote.at_loopback();
    }
    const bool family_fits = socket.family == AF_INET || !remote.is_ipv4() || !socket.only_ipv6;
    const int target = hosts.find(socket.host, remote);
    return target < 0 || !family_fits ? -ENETUNREACH : target;
}

int simulated_network::route(simulated_socket& socket, socket_name& remote) {
    const int target = find_target(socket, remote);
    const int error = target >= 0 ? name_for(socket, remote, target) : 0;
    return error != 0 ? -error : target;
}

result<socket_name> simulated_network::own_name(const simulated_socket& socket, const socket_name& remote,
                                                int target) {
    if (socket.bound && !socket.local.is_any()) {
        if (socket.local.is_ipv4() != remote.is_ipv4()) {
            return errno_code(ENETUNREACH);
        }
        return socket.local.is_loopback() && target != socket.host ? result<socket_name>(errno_code(EINVAL))
                                                                   : result<socket_name>(socket.local);
    }
    socket_name name = remote;
    if (remote.is_loopback()) {
        name = remote.at_loopback();
    } else if (target != socket.host) {
        const socket_name* const own = hosts.at(socket.host).address_of_family(remote.is_ipv4());
        if (own == nullptr) {
            return errno_code(ENETUNREACH);
        }
        name = *own;
    }
    name.port = socket.local.port;
    return name;
}

// Gives a socket that has no address one that leads to `remote`.
int simulated_network::name_for(simulated_socket& socket, const socket_name& remote, int target) {
    const result<socket_name> own = own_name(socket, remote, target);
    if (!own) {
        return own.error().value();
    }
    socket_name name = *own;
    if (socket.bound) {
        socket.local = name;
        return 0;
    }
    name.port = ports_of(socket).choose(socket, name);
    if (name.port == 0) {
        return EADDRNOTAVAIL;
    }
    ports_of(socket).add(socket, name);
    socket.port_chosen = true;
    return 0;
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
    int target = socket.host;
    if (socket.family != AF_UNIX) {
        target = route(socket, remote);
        if (target < 0) {
            return -target;
        }
    } else if (!hosts.at(target).paths.contains(remote.path)) {
        return remote.path.empty() ? EINVAL : remote.path.front() == '\0' ? ECONNREFUSED : ENOENT;
    }
    using end_point = simulated_connection::end_point;
    socket.link = std::make_shared<simulated_connection>(wire, end_point{socket.local, socket.host},
                                                         end_point{remote, target});
    socket.side = 0;
    socket.link->attach(0, socket);
    socket.state = phase::connecting;
    if (wire.strikes(&simulated_faults::hanging_connect)) {
        wire.events.after(answer_limit, [this, link = socket.link] { fail(*link, ETIMEDOUT); });
    } else {
        send_request(socket.link, 1);
    }
    return 0;
}

void simulated_network::send_request(const connection_pointer& link, int tries) {
    wire.post(
        link->host(0), link->host(1), 0, [this, link, tries] { arrive_request(link, tries); },
        [this, link, tries] { ask_again(link, tries); });
}

void simulated_network::ask_again(const connection_pointer& link, int tries) {
    const auto pause = std::chrono::seconds(1) * (1 << (tries - 1));
    wire.events.after(pause, [this, link, tries] {
        if (link->closed(0) || link->has_reached(step::answered)) {
            return;
        }
        if (tries < requests_max) {
            send_request(link, tries + 1);
        } else {
            fail(*link, ETIMEDOUT);
        }
    });
}

simulated_socket* simulated_network::listener_for(const simulated_connection& link) noexcept {
    host_place& host = hosts.at(link.host(1));
    if (!link.name(1).is_path()) {
        return host.tcp.listener_for(link.name(1), link.name(0).port);
    }
    const auto found = host.paths.find(link.name(1).path);
    return found != host.paths.end() && found->second->state == phase::listening ? found->second : nullptr;
}

void simulated_network::arrive_request(const connection_pointer& link, int tries) {
    if (link->closed(0)) {
        return;
    }
    const auto again = [this, link, tries] { ask_again(link, tries); };
    if (!link->has_reached(step::requested)) {
        simulated_socket* const listener = listener_for(*link);
        if (listener == nullptr || wire.strikes(&simulated_faults::refused)) {
            answer_refused(link, tries);
            return;
        }
        (void)acceptable(*listener);  // forgets those who gave up
        if (listener->full()) {
            wire.note(simulated_event::lost, link->name(1).port, tries);
            again();
            return;
        }
        link->set_send_buffer(1, listener->send_buffer);
        link->set_receive_buffer(1, listener->receive_buffer);
        link->attach(1, *listener);
        link->advance(step::requested);
        listener->queue.push_back(link);
    } else if (link->closed(1)) {
        answer_refused(link, tries);  // the listener has gone since
        return;
    }
    wire.post(link->host(1), link->host(0), 0, [this, link] { establish(*link); }, again);
}

void simulated_network::answer_refused(const connection_pointer& link, int tries) {
    wire.post(
        link->host(1), link->host(0), 0, [this, link] { fail(*link, ECONNREFUSED); },
        [this, link, tries] { ask_again(link, tries); });
}

void simulated_network::establish(simulated_connection& link) {
    simulated_socket* const client = link.owner(0);
    if (client == nullptr || client->state != phase::connecting) {
        return;  // it has gone, and said so
    }
    link.advance(step::answered);
    wire.note(simulated_event::connected, link.name(0).port, link.name(1).port);
    link.set_send_buffer(0, client->send_buffer);
    link.set_receive_buffer(0, client->receive_buffer);
    client->state = phase::connected;
    wire.touch(*client);
    link.carry(0, [this, &link] {
        link.advance(step::established);
        if (simulated_socket* const listener = link.owner(1)) {
            wire.touch(*listener);
        }
    });
}

void simulated_network::fail(simulated_connection& link, int error) {
    simulated_socket* const client = link.owner(0);
    if (client == nullptr || client->state != phase::connecting) {
        return;
    }
    wire.note(simulated_event::refused, link.name(1).port, error);
    client->error = error;
    client->state = phase::fresh;
    wire.touch(*client);
    if (std::exchange(client->port_chosen, false)) {
        unbind(*client);
    }
    link.close(0, false);
    client->link = nullptr;  // perhaps the last reference
}

bool simulated_network::acceptable(simulated_socket& listener) {
    std::erase_if(listener.queue, [](const connection_pointer& each) { return each->stillborn(); });
    const auto ready = std::find_if(listener.queue.begin(), listener.queue.end(),
                                    [](const auto& each) { return each->has_reached(step::established); });
    if (ready == listener.queue.end()) {
        return false;
    }
    std::rotate(listener.queue.begin(), ready, ready + 1);
    return true;
}

void simulated_network::refuse(simulated_socket& listener) {
    listener.queue.front()->close(1, true);
    listener.queue.pop_front();
}

simulated_socket& simulated_network::accept(simulated_socket& listener) {
    const connection_pointer link = std::move(listener.queue.front());
    listener.queue.pop_front();
    simulated_socket& accepted = add_socket(listener.family, listener.type, listener.host);
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
    if (listener.family == AF_UNIX) {
        accepted.local = link->name(1);
        accepted.bound = true;
    } else {
        ports_of(accepted).add(accepted, link->name(1));
    }
    return accepted;
}

}  // namespace leat
