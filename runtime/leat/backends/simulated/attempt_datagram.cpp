// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/attempt_datagram.hpp>

#include <algorithm>
#include <cstring>

namespace leat {

namespace {

// How many of `bytes` there is room for in `pieces`; those are copied there.
std::size_t scatter(std::span<const std::byte> bytes, std::span<const iovec> pieces) noexcept {
    std::size_t done = 0;
    for (const iovec& piece : pieces) {
        const std::size_t count = std::min(bytes.size() - done, piece.iov_len);
        if (count > 0) {
            std::memcpy(piece.iov_base, bytes.data() + done, count);
        }
        done += count;
    }
    return done;
}

std::vector<std::byte> gather(std::span<const iovec> pieces) {
    std::vector<std::byte> whole;
    for (const iovec& piece : pieces) {
        const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
        whole.insert(whole.end(), begin, begin + piece.iov_len);
    }
    return whole;
}

// Takes the next datagram, as much of it as there is room for, and tells whose it was and whether it was cut
// off, as recvmsg(2) does. A count, or a negated errno.
std::int64_t read(simulated_socket& socket, msghdr& into) {
    if (const int error = socket.take_error()) {
        return -error;
    }
    simulated_socket::datagram_state& state = socket.datagrams;
    if (state.arrived.empty()) {
        into.msg_namelen = state.receive_shut ? 0 : into.msg_namelen;
        return state.receive_shut ? 0 : -EAGAIN;
    }
    const simulated_socket::datagram taken = std::move(state.arrived.front());
    state.arrived.pop_front();
    state.bytes -= taken.bytes.size();
    if (into.msg_name != nullptr) {
        sockaddr_storage name{};
        const socklen_t size = taken.from.write(name, socket.family);
        std::memcpy(into.msg_name, &name, std::min(size, into.msg_namelen));
        into.msg_namelen = size;
    }
    into.msg_controllen = 0;
    const std::size_t size = scatter(taken.bytes, {into.msg_iov, into.msg_iovlen});
    into.msg_flags = size < taken.bytes.size() ? MSG_TRUNC : 0;
    return static_cast<std::int64_t>(size);
}

// The same without saying whose it was.
std::int64_t read(simulated_socket& socket, std::span<std::byte> into) {
    iovec piece{into.data(), into.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    return read(socket, message);
}

bool recv(operation& op, simulated_socket& socket) {
    const std::int64_t answer = read(socket, std::span(op.buffer, op.length));
    op.transferred = std::max<std::int64_t>(answer, 0);
    return answer != -EAGAIN && complete_simulated(op, answer);
}

bool recv_chunk(operation& op, simulated_socket& socket, slab_pool& pool) {
    if (!pool.provide()) {
        return complete_simulated(op, -ENOMEM);
    }
    const slab_pool::lease lease = pool.take();
    const std::int64_t answer = read(socket, std::span(lease.buffer, slab_pool::buffer_size));
    if (answer <= 0) {
        pool.release(lease.buffer, lease.index);
        return answer != -EAGAIN && complete_simulated(op, answer);
    }
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

bool recv_datagram(operation& op, simulated_socket& socket) {
    const std::int64_t answer = read(socket, *op.message);
    return answer != -EAGAIN && complete_simulated(op, answer);
}

// Those that are there. An error behind them is that of the next call.
bool recv_datagrams(operation& op, simulated_socket& socket) {
    std::size_t count = 0;
    do {
        const std::int64_t answer = read(socket, op.messages[count].msg_hdr);
        if (answer < 0) {
            return answer != -EAGAIN && complete_simulated(op, answer);
        }
        op.messages[count].msg_len = static_cast<unsigned>(answer);
        op.transferred += answer;
        ++count;
    } while (count < op.length && !socket.datagrams.arrived.empty() && socket.error == 0);
    return complete_simulated(op, static_cast<std::int64_t>(count));
}

// All of the pieces are one datagram.
bool send(operation& op, simulated_socket& socket, simulated_network& network,
          std::span<const iovec> pieces) {
    const std::int64_t answer = network.send_datagram(socket, gather(pieces));
    op.transferred = std::max<std::int64_t>(answer, 0);
    return complete_simulated(op, answer);
}

std::int64_t send(const msghdr& message, simulated_socket& socket, simulated_network& network) {
    std::vector<std::byte> whole = gather({message.msg_iov, message.msg_iovlen});
    const auto* const name = static_cast<const sockaddr*>(message.msg_name);
    return name == nullptr ? network.send_datagram(socket, std::move(whole))
                           : network.send_datagram_to(socket, std::move(whole), name, message.msg_namelen);
}

// As many as go before one that fails, which fails again when it is the first.
bool send_datagrams(operation& op, simulated_socket& socket, simulated_network& network) {
    std::size_t count = 0;
    std::int64_t answer = 0;
    while (count < op.length && (count == 0 || socket.error == 0)) {
        answer = send(op.messages[count].msg_hdr, socket, network);
        if (answer < 0) {
            break;
        }
        op.messages[count].msg_len = static_cast<unsigned>(answer);
        op.transferred += answer;
        ++count;
    }
    return complete_simulated(op, count != 0 ? static_cast<std::int64_t>(count) : answer);
}

}  // namespace

bool simulated_datagram_attempt(operation& op, simulated_socket& socket, simulated_network& network,
                                slab_pool& pool) {
    const simulated_socket::datagram_state& state = socket.datagrams;
    switch (op.action) {
        case operation_kind::accept:
            return complete_simulated(op, -EOPNOTSUPP);
        case operation_kind::recv:
            return recv(op, socket);
        case operation_kind::recv_chunk:
            return recv_chunk(op, socket, pool);
        case operation_kind::recv_datagram:
            return recv_datagram(op, socket);
        case operation_kind::recv_datagrams:
            return recv_datagrams(op, socket);
        case operation_kind::readable:
            return (!state.arrived.empty() || state.receive_shut || socket.error != 0) &&
                   complete_simulated(op, 0);
        case operation_kind::connect:
            return complete_simulated(
                op, -network.connect_datagrams(socket, op.address, static_cast<socklen_t>(op.length)));
        case operation_kind::send: {
            const iovec whole{op.buffer, op.length};
            return send(op, socket, network, {&whole, 1});
        }
        case operation_kind::send_vectors:
            return send(op, socket, network, {op.vectors, op.length});
        case operation_kind::send_datagram:
            return complete_simulated(op, send(*op.message, socket, network));
        case operation_kind::send_datagrams:
            return send_datagrams(op, socket, network);
        case operation_kind::writable:
            return complete_simulated(op, 0);
        case operation_kind::file:
            break;  // start_file()
    }
    return false;
}

}  // namespace leat
