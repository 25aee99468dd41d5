// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/network.hpp>

#include <leat/check.hpp>

#include <algorithm>

#include <netinet/in.h>

namespace leat {

namespace {

using phase = simulated_socket::phase;

constexpr int longest_queue = 4096;  // net.core.somaxconn
constexpr std::size_t descriptors_of_each = 1 << 20;
constexpr std::size_t sockets_of_each = descriptors_of_each / 2;  // the others are files

thread_local std::size_t open_in_thread = 0;
thread_local std::vector<simulated_network*> networks_of_thread;  // by their first descriptors

int add_network(simulated_network& added) {
    auto place = std::find(networks_of_thread.begin(), networks_of_thread.end(), nullptr);
    if (place == networks_of_thread.end()) {
        place = networks_of_thread.insert(place, nullptr);
    }
    *place = &added;
    const auto before = static_cast<std::size_t>(place - networks_of_thread.begin());
    check(before < 2000, "a thread has at most 2000 simulations at a time");
    return simulated_descriptors + static_cast<int>(before * descriptors_of_each);
}

bool is_stream(const simulated_socket& socket) noexcept {
    return socket.type == SOCK_STREAM;
}

}  // namespace

std::size_t open_simulated_sockets() noexcept {
    return open_in_thread;
}

simulated_network::simulated_network(const simulation_options& how)
    : wire(how),
      options(how),
      first_descriptor(add_network(*this)),
      files(wire, hosts, first_descriptor + static_cast<int>(sockets_of_each), options) {}

simulated_network::~simulated_network() {
    const auto place = std::find(networks_of_thread.begin(), networks_of_thread.end(), this);
    check(place != networks_of_thread.end(), "a simulation ends on the thread that made it");
    *place = nullptr;
    open_in_thread -= open_sockets();
}

simulated_socket& simulated_network::add_socket(int family, int type, int host) {
    const bool reuses = !unused_.empty();
    const std::size_t place = reuses ? *unused_.begin() : sockets_.size();
    const int number = first_descriptor + static_cast<int>(place);
    auto made = std::make_shared<simulated_socket>(number, family, type, host);
    if (reuses) {
        unused_.erase(unused_.begin());
        sockets_[place] = std::move(made);
    } else {
        sockets_.push_back(std::move(made));
    }
    ++open_in_thread;
    sockets_[place]->send_buffer = options.send_buffer;
    sockets_[place]->receive_buffer = options.receive_buffer;
    return *sockets_[place];
}

int simulated_network::draw_shortage() noexcept {
    constexpr int shortages[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    return wire.strikes(&simulated_faults::no_descriptors) ? shortages[wire.luck.below(4)] : 0;
}

result<int> simulated_network::open(int family, int type, int protocol) {
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
        return errno_code(EAFNOSUPPORT);
    }
    if (type != SOCK_STREAM && (type != SOCK_DGRAM || family == AF_UNIX)) {
        return errno_code(ESOCKTNOSUPPORT);
    }
    const int usual = type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
    if (protocol != 0 && (protocol != usual || family == AF_UNIX)) {
        return errno_code(EPROTONOSUPPORT);
    }
    const simulated_host& here = hosts.current().host;
    const int error = here.is_up() ? draw_shortage() : ENETDOWN;
    return error == 0 ? result<int>(add_socket(family, type, here.number()).number)
                      : result<int>(errno_code(error));
}

simulated_socket* simulated_network::find(int descriptor) const noexcept {
    const std::int64_t place = std::int64_t{descriptor} - first_descriptor;
    return place >= 0 && place < std::ssize(sockets_) ? sockets_[static_cast<std::size_t>(place)].get()
                                                      : nullptr;
}

void simulated_network::close(simulated_socket& socket) {
    const auto place = static_cast<std::size_t>(socket.number - first_descriptor);
    const std::shared_ptr<simulated_socket> closed = std::move(sockets_[place]);
    sockets_[place] = nullptr;
    unused_.insert(place);
    --open_in_thread;
    unbind(socket);
    stop_listening(socket);
    if (const connection_pointer link = std::exchange(socket.link, nullptr)) {
        link->close(socket.side, socket.reset_on_close);
    }
}

void simulated_network::close_anywhere(int descriptor) noexcept {
    for (simulated_network* each : networks_of_thread) {
        if (each != nullptr && each->files.close(descriptor)) {
            return;
        }
        simulated_socket* const found = each != nullptr ? each->find(descriptor) : nullptr;
        if (found != nullptr) {
            each->close(*found);
            return;
        }
    }
}

int simulated_network::bind(simulated_socket& socket, const sockaddr* address, socklen_t size) {
    const result<socket_name> read = socket_name::read(address, size, socket.family);
    if (!read) {
        return read.error().value();
    }
    socket_name name = *read;
    const bool fits = socket.family != AF_INET6 || !socket.only_ipv6 || !name.is_ipv4();
    if (socket.dead) {
        return ESHUTDOWN;
    }
    if (socket.bound || socket.state != phase::fresh || !fits) {
        return EINVAL;
    }
    if (socket.family == AF_UNIX) {
        return bind_path(socket, name);
    }
    if (!name.is_any() && !hosts.at(socket.host).has(name)) {
        return EADDRNOTAVAIL;
    }
    port_table& ports = ports_of(socket);
    if (name.port == 0) {
        name.port = ports.choose(socket, name);
    }
    if (name.port == 0 || !ports.free_for(socket, name)) {
        return EADDRINUSE;
    }
    ports.add(socket, name);
    return 0;
}

// A path is free again when its socket closes, as if it were removed then. No path: one is made up.
int simulated_network::bind_path(simulated_socket& socket, const socket_name& name) {
    auto& paths = hosts.at(socket.host).paths;
    std::string path = name.path;
    for (int tried = 0; name.path.empty() && (path.empty() || paths.contains(path)); ++tried) {
        const std::string digits = std::to_string(tried);
        path = std::string(1, '\0') + std::string(5 - std::min<std::size_t>(digits.size(), 5), '0') + digits;
    }
    if (!paths.try_emplace(path, &socket).second) {
        return EADDRINUSE;
    }
    socket.local.path = path;
    socket.bound = true;
    return 0;
}

void simulated_network::unbind(simulated_socket& socket) noexcept {
    if (!socket.bound) {
        return;
    }
    if (socket.family != AF_UNIX) {
        ports_of(socket).remove(socket);
        return;
    }
    socket.bound = false;
    auto& paths = hosts.at(socket.host).paths;
    const auto found = paths.find(socket.local.path);
    if (found != paths.end() && found->second == &socket) {  // what was accepted has the name only
        paths.erase(found);
    }
}

int simulated_network::listen(simulated_socket& socket, int backlog) {
    if (socket.dead) {
        return ESHUTDOWN;
    }
    if (!is_stream(socket)) {
        return EOPNOTSUPP;
    }
    if ((socket.state != phase::fresh && socket.state != phase::listening) ||
        (socket.family == AF_UNIX && !socket.bound)) {
        return EINVAL;
    }
    if (socket.family != AF_UNIX) {
        port_table& ports = ports_of(socket);
        if (!socket.bound) {
            socket_name name = socket_name::any(socket.family);
            name.port = ports.choose(socket, name);
            if (name.port == 0) {
                return EADDRINUSE;
            }
            ports.add(socket, name);
        }
        if (!ports.free_for(socket, socket.local)) {
            return EADDRINUSE;  // both were bound before either listened
        }
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

int simulated_network::shut_down(simulated_socket& socket, int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        return EINVAL;
    }
    if (socket.dead) {
        return ESHUTDOWN;
    }
    if (socket.state == phase::listening) {
        if (how != SHUT_WR) {
            stop_listening(socket);
        }
        return 0;
    }
    if (!is_stream(socket)) {
        simulated_socket::datagram_state& state = socket.datagrams;
        if (!state.peer.has_value()) {
            return ENOTCONN;
        }
        state.receive_shut = state.receive_shut || how != SHUT_WR;
        state.send_shut = state.send_shut || how != SHUT_RD;
        wire.touch(socket);
        return 0;
    }
    if (socket.state != phase::connected || socket.link->over(socket.side)) {
        return ENOTCONN;
    }
    if (how != SHUT_WR) {
        socket.link->shut_receiving(socket.side);
    }
    if (how != SHUT_RD) {
        socket.link->shut_sending(socket.side);
    }
    return 0;
}

void simulated_network::die(simulated_socket& socket) {
    unbind(socket);
    for (const connection_pointer& waiting : std::exchange(socket.queue, {})) {
        waiting->vanish(1);
    }
    if (const connection_pointer link = std::exchange(socket.link, nullptr)) {
        link->vanish(socket.side);
    }
    socket.datagrams = {};
    socket.state = phase::fresh;
    socket.error = 0;
    socket.dead = true;
    wire.touch(socket);
}

void simulated_network::crash(simulated_host& host) {
    const int number = hosts.number_of(host);
    wire.note(simulated_event::crashed, static_cast<std::uint64_t>(number));
    host.set_up(false);
    wire.links.set_up(number, false);
    for (const auto& each : sockets_) {
        if (each != nullptr && each->host == number && !each->dead) {
            die(*each);
        }
    }
    files.crash(number);
}

void simulated_network::restart(simulated_host& host) {
    const int number = hosts.number_of(host);
    wire.note(simulated_event::restarted, static_cast<std::uint64_t>(number));
    host.set_up(true);
    wire.links.set_up(number, true);
}

}  // namespace leat
