// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/sockets.hpp>

#include <leat/backends/simulated/socket_options.hpp>

namespace leat {

namespace {

using phase = simulated_socket::phase;

result<void> answer(int error) {
    return error == 0 ? result<void>() : result<void>(errno_code(error));
}

}  // namespace

result<int> simulated_sockets::open(int family, int type, int protocol) {
    return network_.open(family, type, protocol);
}

result<void> simulated_sockets::bind(int fd, const sockaddr* address, socklen_t size) {
    simulated_socket* const socket = network_.find(fd);
    return answer(socket != nullptr ? network_.bind(*socket, address, size) : error_of_descriptor(fd));
}

result<void> simulated_sockets::listen(int fd, int backlog) {
    simulated_socket* const socket = network_.find(fd);
    return answer(socket != nullptr ? network_.listen(*socket, backlog) : error_of_descriptor(fd));
}

result<void> simulated_sockets::shutdown(int fd, int how) {
    simulated_socket* const socket = network_.find(fd);
    return answer(socket != nullptr ? network_.shut_down(*socket, how) : error_of_descriptor(fd));
}

result<void> simulated_sockets::set_option(int fd, int level, int name, std::span<const std::byte> value) {
    simulated_socket* const socket = network_.find(fd);
    return answer(socket != nullptr ? set_simulated_option(*socket, level, name, value)
                                    : error_of_descriptor(fd));
}

result<std::size_t> simulated_sockets::option(int fd, int level, int name, std::span<std::byte> value) {
    simulated_socket* const socket = network_.find(fd);
    return socket != nullptr ? simulated_option(*socket, level, name, value)
                             : result<std::size_t>(errno_code(error_of_descriptor(fd)));
}

result<socklen_t> simulated_sockets::local_address(int fd, sockaddr_storage& address) {
    const simulated_socket* const socket = network_.find(fd);
    if (socket == nullptr) {
        return errno_code(error_of_descriptor(fd));
    }
    const socket_name name = socket->bound ? socket->local : socket_name::any(socket->family);
    return name.write(address, socket->family);
}

result<socklen_t> simulated_sockets::remote_address(int fd, sockaddr_storage& address) {
    const simulated_socket* const socket = network_.find(fd);
    if (socket == nullptr) {
        return errno_code(error_of_descriptor(fd));
    }
    if (socket->datagrams.peer.has_value()) {
        return socket->datagrams.peer->write(address, socket->family);
    }
    if (socket->state != phase::connected || socket->link->over(socket->side)) {
        return errno_code(ENOTCONN);
    }
    return socket->link->name(1 - socket->side).write(address, socket->family);
}

bool simulated_sockets::is_quiet(int fd) noexcept {
    const simulated_socket* const socket = network_.find(fd);
    return socket != nullptr && !socket->dead && socket->state == phase::connected &&
           !socket->link->readable(socket->side);
}

std::size_t simulated_sockets::unsent(int fd) noexcept {
    const simulated_socket* const socket = network_.find(fd);
    return socket != nullptr && socket->state == phase::connected ? socket->link->unarrived(socket->side) : 0;
}

std::optional<std::uint64_t> simulated_sockets::received(int fd) noexcept {
    const simulated_socket* const socket = network_.find(fd);
    if (socket == nullptr || socket->state != phase::connected) {
        return std::nullopt;
    }
    return socket->link->received(socket->side);
}

result<std::size_t> simulated_sockets::send(int fd, std::span<const std::byte> bytes) {
    simulated_socket* const socket = network_.find(fd);
    if (socket == nullptr || socket->state != phase::connected) {
        return errno_code(socket == nullptr ? error_of_descriptor(fd) : ENOTCONN);
    }
    const std::int64_t sent = socket->link->write(socket->side, bytes);
    return sent >= 0 ? result<std::size_t>(static_cast<std::size_t>(sent))
                     : errno_code(static_cast<int>(-sent));
}

// Only those of the Unix domain are asked for it, which carry no messages here.
result<std::size_t> simulated_sockets::send_message(int fd, const msghdr& /*message*/) {
    return errno_code(network_.find(fd) == nullptr ? error_of_descriptor(fd) : EOPNOTSUPP);
}

// The disk of a simulation always takes its time.
result<std::size_t> simulated_sockets::send_file(int /*fd*/, int /*file*/, std::uint64_t /*offset*/,
                                                 std::size_t /*size*/) {
    return errno_code(EAGAIN);
}

}  // namespace leat
