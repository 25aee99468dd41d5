// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/attempt.hpp>

#include <leat/backends/readiness.hpp>
#include <leat/backends/simulated/attempt_datagram.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>

namespace leat {

namespace {

using phase = simulated_socket::phase;

bool complete_unless_blocked(operation& op, std::int64_t answer) noexcept {
    return answer != -EAGAIN && complete_simulated(op, answer);
}

class attempt_on {
public:
    attempt_on(operation& op, simulated_socket& socket, simulated_network& network, slab_pool& pool) noexcept
        : op_(op), socket_(socket), network_(network), wire_(network.wire), pool_(pool) {}

    bool accept();
    bool connect();
    bool recv();
    bool recv_chunk();
    bool recv_small_chunk();
    bool send();
    bool send_vectors();
    bool readable();
    bool writable();

private:
    std::int64_t read(std::span<std::byte> into);
    std::int64_t write(std::span<const std::byte> from);
    std::int64_t write_vectors();
    std::size_t shortened(std::size_t size) noexcept;
    bool pauses();

    operation& op_;
    simulated_socket& socket_;
    simulated_network& network_;
    simulated_wire& wire_;
    slab_pool& pool_;
};

// How much of a transfer is done in one go.
std::size_t attempt_on::shortened(std::size_t size) noexcept {
    return size > 1 && wire_.strikes(&simulated_faults::short_transfer)
               ? 1 + static_cast<std::size_t>(wire_.luck.below(size))
               : size;
}

// Whether a transfer of all bytes waits before it goes on, so that it may be cancelled midway.
bool attempt_on::pauses() {
    if (!wire_.strikes(&simulated_faults::short_transfer)) {
        return false;
    }
    wire_.touch_later(socket_);
    return true;
}

std::int64_t attempt_on::read(std::span<std::byte> into) {
    if (socket_.state == phase::connected) {
        return socket_.link->read(socket_.side, into.first(shortened(into.size())));
    }
    if (socket_.state == phase::connecting) {
        return -EAGAIN;
    }
    const int error = socket_.take_error();
    return error != 0 ? -error : -ENOTCONN;
}

std::int64_t attempt_on::write(std::span<const std::byte> from) {
    if (socket_.state == phase::connected) {
        return socket_.link->write(socket_.side, from.first(shortened(from.size())));
    }
    if (socket_.state == phase::connecting) {
        return -EAGAIN;
    }
    const int error = socket_.take_error();
    return error != 0 ? -error : -EPIPE;
}

bool attempt_on::accept() {
    if (socket_.state != phase::listening) {
        return complete_simulated(op_, -EINVAL);
    }
    if (!network_.acceptable(socket_)) {
        return false;
    }
    if (const int error = network_.draw_shortage()) {
        return complete_simulated(op_, -error);
    }
    if (wire_.strikes(&simulated_faults::accept_error)) {
        constexpr int errors[] = {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ETIMEDOUT};
        network_.refuse(socket_);
        return complete_simulated(op_, -errors[wire_.luck.below(std::size(errors))]);
    }
    const simulated_socket* const accepted = &network_.accept(socket_);
    if (op_.address != nullptr) {
        sockaddr_storage peer{};
        const socklen_t size = accepted->link->name(0).write(peer, accepted->family);
        std::memcpy(op_.address, &peer, std::min<std::size_t>(size, op_.length));
    }
    return complete_simulated(op_, accepted->number);
}

bool attempt_on::connect() {
    if (op_.phase == static_cast<std::uint8_t>(simulated_progress::begun)) {
        op_.phase = static_cast<std::uint8_t>(simulated_progress::connecting);
        const int error = network_.connect(socket_, op_.address, static_cast<socklen_t>(op_.length));
        return error != 0 && complete_simulated(op_, -error);
    }
    return socket_.state != phase::connecting && complete_simulated(op_, -socket_.take_error());
}

bool attempt_on::recv() {
    for (;;) {
        const auto done = static_cast<std::size_t>(op_.transferred);
        const std::int64_t answer = read(std::span(op_.buffer + done, op_.length - done));
        if (answer < 0) {
            return complete_unless_blocked(op_, answer);
        }
        op_.transferred += answer;
        if (!op_.whole || answer == 0 || static_cast<std::size_t>(op_.transferred) == op_.length) {
            return complete_simulated(op_, op_.transferred);
        }
        if (pauses()) {
            return false;
        }
    }
}

bool attempt_on::recv_chunk() {
    if (wire_.strikes(&simulated_faults::scarce_buffers)) {
        return recv_small_chunk();
    }
    const slab_pool::lease lease = pool_.take_for(socket_.growth);
    if (lease.buffer == nullptr) {
        return complete_simulated(op_, -ENOMEM);
    }
    const std::size_t size = slab_pool::size_of(lease);
    const std::int64_t answer = read(std::span(lease.buffer, size));
    if (answer <= 0) {
        pool_.release(lease.buffer, lease.index);
        return complete_unless_blocked(op_, answer);
    }
    socket_.growth.note(static_cast<std::size_t>(answer), size);
    op_.deliver(pool_, lease.buffer, lease.index, answer);
    return true;
}

// What there is when the pool has nothing left.
bool attempt_on::recv_small_chunk() {
    const auto size = static_cast<std::size_t>(1 + wire_.luck.below(512));
    auto buffer = std::make_unique_for_overwrite<std::byte[]>(size);
    const std::int64_t answer = read(std::span(buffer.get(), size));
    if (answer <= 0) {
        return complete_unless_blocked(op_, answer);
    }
    op_.deliver(heap_buffers, buffer.release(), 0, answer);
    return true;
}

bool attempt_on::send() {
    for (;;) {
        const auto done = static_cast<std::size_t>(op_.transferred);
        const std::int64_t answer = write(std::span(op_.buffer + done, op_.length - done));
        if (answer < 0) {
            return complete_unless_blocked(op_, answer);
        }
        op_.transferred += answer;
        if (!op_.whole || static_cast<std::size_t>(op_.transferred) == op_.length) {
            return complete_simulated(op_, op_.transferred);
        }
        if (pauses()) {
            return false;
        }
    }
}

// What one sendmsg(2) takes, or a negated errno.
std::int64_t attempt_on::write_vectors() {
    std::int64_t total = 0;
    for (const iovec& piece : std::span(op_.vectors, op_.length)) {
        const std::int64_t count =
            write(std::span(static_cast<const std::byte*>(piece.iov_base), piece.iov_len));
        if (count < 0) {
            return total > 0 ? total : count;
        }
        total += count;
        const bool failed = socket_.state == phase::connected && socket_.link->failed(socket_.side);
        if (failed || static_cast<std::size_t>(count) < piece.iov_len) {
            break;  // an error is told to the next call
        }
    }
    return total;
}

bool attempt_on::send_vectors() {
    for (;;) {
        const std::int64_t answer = write_vectors();
        if (answer < 0) {
            return complete_unless_blocked(op_, answer);
        }
        op_.transferred += answer;
        detail::advance_vectors(op_, static_cast<std::size_t>(answer));
        if (!op_.whole || op_.length == 0) {
            return complete_simulated(op_, op_.transferred);
        }
        if (pauses()) {
            return false;
        }
    }
}

// A socket that was never connected is both, as poll(2) tells it.
bool attempt_on::readable() {
    switch (socket_.state) {
        case phase::connecting:
            return false;
        case phase::listening:
            return network_.acceptable(socket_) && complete_simulated(op_, 0);
        case phase::connected:
            return socket_.link->readable(socket_.side) && complete_simulated(op_, 0);
        case phase::fresh:
            return complete_simulated(op_, 0);
    }
    return false;
}

bool attempt_on::writable() {
    switch (socket_.state) {
        case phase::connecting:
        case phase::listening:
            return false;
        case phase::connected:
            return socket_.link->writable(socket_.side) && complete_simulated(op_, 0);
        case phase::fresh:
            return complete_simulated(op_, 0);
    }
    return false;
}

}  // namespace

bool simulated_attempt(operation& op, simulated_socket& socket, simulated_network& network, slab_pool& pool) {
    if (socket.dead) {
        return complete_simulated(op, -ESHUTDOWN);
    }
    if (socket.type == SOCK_DGRAM) {
        return simulated_datagram_attempt(op, socket, network, pool);
    }
    attempt_on tried(op, socket, network, pool);
    switch (op.action) {
        case operation_kind::accept:
            return tried.accept();
        case operation_kind::recv:
            return tried.recv();
        case operation_kind::recv_chunk:
            return tried.recv_chunk();
        case operation_kind::recv_datagram:
        case operation_kind::recv_datagrams:
        case operation_kind::send_datagram:
        case operation_kind::send_datagrams:
            return complete_simulated(op, -EOPNOTSUPP);
        case operation_kind::readable:
            return tried.readable();
        case operation_kind::connect:
            return tried.connect();
        case operation_kind::send:
            return tried.send();
        case operation_kind::send_vectors:
            return tried.send_vectors();
        case operation_kind::writable:
            return tried.writable();
        case operation_kind::file:
            break;  // start_file()
    }
    return false;
}

}  // namespace leat
