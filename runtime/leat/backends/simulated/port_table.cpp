// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/port_table.hpp>

namespace leat {

namespace {

constexpr std::uint16_t first_port = 32768;
constexpr std::uint16_t last_port = 60999;

// How well a socket bound to `own` matches an address: 0 not at all, 1 as any address, 2 as this one.
int match(const socket_name& own, bool only_ipv6, const socket_name& wanted) noexcept {
    if (own.ip == wanted.ip) {
        return 2;
    }
    const bool same_family = own.is_ipv4() == wanted.is_ipv4();
    return own.is_any() && (same_family || (!own.is_ipv4() && !only_ipv6)) ? 1 : 0;
}

bool listens(const simulated_socket& socket) noexcept {
    return socket.state == simulated_socket::phase::listening;
}

}  // namespace

bool port_table::free_for(const simulated_socket& socket, const socket_name& name) const {
    const auto found = bound_.find(name.port);
    if (found == bound_.end()) {
        return true;
    }
    for (const simulated_socket* other : found->second) {
        const bool shared = (socket.reuse_address && other->reuse_address && !listens(*other)) ||
                            (socket.reuse_port && other->reuse_port);
        const bool meet = match(name, socket.only_ipv6, other->local) != 0 ||
                          match(other->local, other->only_ipv6, name) != 0;
        if (other != &socket && meet && !shared) {
            return false;
        }
    }
    return true;
}

std::uint16_t port_table::choose(const simulated_socket& socket, socket_name name) {
    for (int tried = first_port; tried <= last_port; ++tried) {
        name.port = next_;
        next_ = next_ == last_port ? first_port : static_cast<std::uint16_t>(next_ + 1);
        const auto found = bound_.find(name.port);
        if (found == bound_.end() || (!socket.reuse_address && free_for(socket, name))) {
            return name.port;
        }
    }
    return 0;
}

void port_table::add(simulated_socket& socket, const socket_name& name) {
    bound_[name.port].push_back(&socket);
    socket.local = name;
    socket.bound = true;
}

void port_table::remove(simulated_socket& socket) {
    if (!socket.bound) {
        return;
    }
    const auto found = bound_.find(socket.local.port);
    std::erase(found->second, &socket);
    if (found->second.empty()) {
        bound_.erase(found);
    }
    socket.bound = false;
}

simulated_socket* port_table::listener_for(const socket_name& to, std::uint16_t from) const {
    const auto found = bound_.find(to.port);
    if (found == bound_.end()) {
        return nullptr;
    }
    int best = 1;
    std::vector<simulated_socket*> candidates;
    for (simulated_socket* each : found->second) {
        const int how_well = listens(*each) ? match(each->local, each->only_ipv6, to) : 0;
        if (how_well > best) {
            best = how_well;
            candidates.clear();
        }
        if (how_well == best) {
            candidates.push_back(each);
        }
    }
    return candidates.empty() ? nullptr : candidates[from % candidates.size()];
}

// One that is connected to the sender before all others; of those that share the port the one that the
// sender's port picks, otherwise the one that was bound last.
simulated_socket* port_table::receiver_for(const socket_name& to, const socket_name& from) const {
    const auto found = bound_.find(to.port);
    if (found == bound_.end()) {
        return nullptr;
    }
    int best = 1;
    std::vector<simulated_socket*> candidates;
    for (simulated_socket* each : found->second) {
        const bool connected = each->datagrams.peer.has_value();
        int how_well = match(each->local, each->only_ipv6, to);
        if (connected && how_well > 0) {
            how_well = each->datagrams.peer == from ? 3 : 0;
        }
        if (how_well > best) {
            best = how_well;
            candidates.clear();
        }
        if (how_well == best) {
            candidates.push_back(each);
        }
    }
    if (candidates.empty() || !candidates.back()->reuse_port) {
        return candidates.empty() ? nullptr : candidates.back();
    }
    return candidates[from.port % candidates.size()];
}

}  // namespace leat
