// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/network.hpp>

#include <algorithm>

#include <netinet/in.h>

namespace leat {

namespace {

using phase = simulated_socket::phase;

constexpr int longest_queue = 4096;  // net.core.somaxconn

thread_local std::size_t open_in_thread = 0;

}  // namespace

std::size_t open_simulated_sockets() noexcept {
    return open_in_thread;
}

simulated_network::simulated_network(const simulation_options& how) : wire(how), options(how) {}

simulated_network::~simulated_network() {
    open_in_thread -= open_sockets();
}

simulated_socket& simulated_network::add_socket(int family) {
    std::size_t place = sockets_.size();
    if (unused_.empty()) {
        sockets_.emplace_back();
    } else {
        place = unused_.extract(unused_.begin()).value();
    }
    const int number = simulated_descriptors + static_cast<int>(place);
    sockets_[place] = std::make_shared<simulated_socket>(number, family);
    ++open_in_thread;
    sockets_[place]->send_buffer = options.send_buffer;
    sockets_[place]->receive_buffer = options.receive_buffer;
    return *sockets_[place];
}

result<int> simulated_network::open(int family, int type, int protocol) {
    if (family != AF_INET && family != AF_INET6) {
        return errno_code(EAFNOSUPPORT);
    }
    if (type != SOCK_STREAM) {
        return errno_code(ESOCKTNOSUPPORT);
    }
    if (protocol != 0 && protocol != IPPROTO_TCP) {
        return errno_code(EPROTONOSUPPORT);
    }
    return add_socket(family).number;
}

simulated_socket* simulated_network::find(int descriptor) const noexcept {
    const std::int64_t place = std::int64_t{descriptor} - simulated_descriptors;
    return place >= 0 && place < std::ssize(sockets_) ? sockets_[static_cast<std::size_t>(place)].get()
                                                      : nullptr;
}

void simulated_network::close(simulated_socket& socket) {
    const auto place = static_cast<std::size_t>(socket.number - simulated_descriptors);
    const std::shared_ptr<simulated_socket> closed = std::move(sockets_[place]);
    sockets_[place] = nullptr;
    unused_.insert(place);
    --open_in_thread;
    ports_.remove(socket);
    stop_listening(socket);
    if (const connection_pointer link = std::exchange(socket.link, nullptr)) {
        link->close(socket.side, socket.reset_on_close);
    }
}

int simulated_network::bind(simulated_socket& socket, const sockaddr* address, socklen_t size) {
    const result<socket_name> read = socket_name::read(address, size, socket.family);
    if (!read) {
        return read.error().value();
    }
    socket_name name = *read;
    if (socket.bound || socket.state != phase::fresh ||
        (socket.family == AF_INET6 && socket.only_ipv6 && name.is_ipv4())) {
        return EINVAL;
    }
    if (!name.is_any() && !name.is_local()) {
        return EADDRNOTAVAIL;
    }
    if (name.port == 0) {
        name.port = ports_.choose(socket, name);
    }
    if (name.port == 0 || !ports_.free_for(socket, name)) {
        return EADDRINUSE;
    }
    ports_.add(socket, name);
    return 0;
}

int simulated_network::listen(simulated_socket& socket, int backlog) {
    if (socket.state != phase::fresh && socket.state != phase::listening) {
        return EINVAL;
    }
    if (!socket.bound) {
        socket_name name = socket_name::any(socket.family);
        name.port = ports_.choose(socket, name);
        if (name.port == 0) {
            return EADDRINUSE;
        }
        ports_.add(socket, name);
    }
    if (!ports_.free_for(socket, socket.local)) {
        return EADDRINUSE;  // both were bound before either listened
    }
    socket.backlog = backlog < 0 ? longest_queue : std::min(backlog, longest_queue);
    socket.state = phase::listening;
    return 0;
}

void simulated_network::stop_listening(simulated_socket& socket) {
    for (const connection_pointer& waiting : std::exchange(socket.queue, {})) {
        waiting->close(1, true);
    }
    if (socket.state == phase::listening) {
        socket.state = phase::fresh;
        wire.touch(socket);
    }
}

}  // namespace leat
