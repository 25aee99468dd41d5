// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/attempt_datagram.hpp>

#include <algorithm>
#include <cstring>

namespace leat {

namespace {

bool complete(operation& op, std::int64_t result) noexcept {
    op.result = result;
    return true;
}

// The next datagram, or as much of it as there is room for; or a negated errno.
std::int64_t read(simulated_socket& socket, std::span<std::byte> into) {
    if (const int error = socket.take_error()) {
        return -error;
    }
    simulated_socket::datagram_state& state = socket.datagrams;
    if (state.arrived.empty()) {
        return state.receive_shut ? 0 : -EAGAIN;
    }
    const std::vector<std::byte> bytes = std::move(state.arrived.front().bytes);
    state.arrived.pop_front();
    state.bytes -= bytes.size();
    const std::size_t size = std::min(bytes.size(), into.size());
    if (size > 0) {
        std::memcpy(into.data(), bytes.data(), size);
    }
    return static_cast<std::int64_t>(size);
}

bool recv(operation& op, simulated_socket& socket) {
    const std::int64_t answer = read(socket, std::span(op.buffer, op.length));
    op.transferred = std::max<std::int64_t>(answer, 0);
    return answer != -EAGAIN && complete(op, answer);
}

bool recv_chunk(operation& op, simulated_socket& socket, slab_pool& pool) {
    if (!pool.provide()) {
        return complete(op, -ENOMEM);
    }
    const slab_pool::lease lease = pool.take();
    const std::int64_t answer = read(socket, std::span(lease.buffer, slab_pool::buffer_size));
    if (answer <= 0) {
        pool.release(lease.buffer, lease.index);
        return answer != -EAGAIN && complete(op, answer);
    }
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

bool send(operation& op, simulated_socket& socket, simulated_network& network) {
    const std::int64_t answer = network.send_datagram(socket, {op.buffer, op.buffer + op.length});
    op.transferred = std::max<std::int64_t>(answer, 0);
    return complete(op, answer);
}

// All pieces are one datagram.
bool send_vectors(operation& op, simulated_socket& socket, simulated_network& network) {
    std::vector<std::byte> whole;
    for (const iovec& piece : std::span(op.vectors, op.length)) {
        const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
        whole.insert(whole.end(), begin, begin + piece.iov_len);
    }
    const std::int64_t answer = network.send_datagram(socket, std::move(whole));
    op.transferred = std::max<std::int64_t>(answer, 0);
    return complete(op, answer);
}

}  // namespace

bool simulated_datagram_attempt(operation& op, simulated_socket& socket, simulated_network& network,
                                slab_pool& pool) {
    const simulated_socket::datagram_state& state = socket.datagrams;
    switch (op.action) {
        case operation_kind::accept:
            return complete(op, -EOPNOTSUPP);
        case operation_kind::recv:
            return recv(op, socket);
        case operation_kind::recv_chunk:
            return recv_chunk(op, socket, pool);
        case operation_kind::readable:
            return (!state.arrived.empty() || state.receive_shut || socket.error != 0) && complete(op, 0);
        case operation_kind::connect:
            return complete(
                op, -network.connect_datagrams(socket, op.address, static_cast<socklen_t>(op.length)));
        case operation_kind::send:
            return send(op, socket, network);
        case operation_kind::send_vectors:
            return send_vectors(op, socket, network);
        case operation_kind::writable:
            return complete(op, 0);
    }
    return false;
}

}  // namespace leat
