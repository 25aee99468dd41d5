// SPDX-License-Identifier: MIT
// simulated_socket: a socket of the simulated network. The network changes its state, the backend its waiting
// operations.
// Invariant: a bound socket is in a table of its host, and a connected one of a stream has a connection.
#pragma once

#include <leat/backends/simulated/connection.hpp>
#include <leat/backends/slab_pool.hpp>
#include <leat/core/descriptor_owner.hpp>

#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace leat {

struct simulated_socket : std::enable_shared_from_this<simulated_socket> {
    enum class phase : std::uint8_t { fresh, listening, connecting, connected };

    // The operation that waits for one direction. Its number tells it from a later one at the same place.
    // While it is a cancelled one, another may wait behind it.
    struct waiter {
        operation* op = nullptr;
        std::uint64_t number = 0;
        operation* behind = nullptr;
    };

    // What a datagram socket has beside.
    struct datagram {
        socket_name from;
        std::vector<std::byte> bytes;
    };
    struct datagram_state {
        std::deque<datagram> arrived;
        std::size_t bytes = 0;  // of those
        std::optional<socket_name> peer;
        bool receive_shut = false;
        bool send_shut = false;
    };

    simulated_socket(int descriptor, int of_family, int of_type, int of_host)
        : number(descriptor), family(of_family), type(of_type), host(of_host) {}

    [[nodiscard]] waiter& waiting(operation_kind kind) noexcept { return reads(kind) ? reader : writer; }
    [[nodiscard]] bool full() const noexcept { return queue.size() > static_cast<std::size_t>(backlog); }
    // The error that SO_ERROR tells, once.
    int take_error() noexcept {
        return link != nullptr && error == 0 ? link->take_error(side) : std::exchange(error, 0);
    }

    const int number;
    const int family;
    const int type;  // SOCK_STREAM or SOCK_DGRAM
    const int host;
    phase state = phase::fresh;
    bool bound = false;
    bool port_chosen = false;  // by connect, which gives it back when it fails
    bool only_ipv6 = false;
    bool reuse_address = false;
    bool reuse_port = false;
    bool reset_on_close = false;  // SO_LINGER of no time
    bool touched = false;         // is in the list of changed sockets of simulated_wire
    bool dead = false;            // its host has crashed
    socket_name local;
    int error = 0;
    int backlog = 0;
    std::size_t send_buffer = 0;
    std::size_t receive_buffer = 0;
    std::map<std::pair<int, int>, int> options;               // by level and name: those without effect
    std::deque<std::shared_ptr<simulated_connection>> queue;  // of a listener: asked, or to be accepted
    std::shared_ptr<simulated_connection> link;
    int side = 0;  // of link
    buffer_growth growth;
    datagram_state datagrams;
    waiter reader;
    waiter writer;
    descriptor_owner* owner = nullptr;  // at home in the run of this simulation
};

}  // namespace leat
