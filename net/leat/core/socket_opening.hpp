// SPDX-License-Identifier: MIT
// Opens and names sockets of any kind: the common part of tcp.cpp, udp.cpp and unix.cpp.
#pragma once

#include <leat/core/backend.hpp>
#include <leat/core/socket.hpp>

#include <system_error>

namespace leat::detail {

// The calls of the backend that this thread runs on; outside of a run those of the kernel.
[[nodiscard]] inline socket_calls& current_sockets() {
    return this_thread.loop != nullptr ? this_thread.loop->io().sockets() : kernel_socket_calls();
}

// setsockopt(2) with an int. Throws std::system_error with `what`.
void set_int_option(int fd, int level, int name, int value, const char* what = "set a socket option");

// The name of an IP socket. Throws std::system_error.
[[nodiscard]] endpoint local_endpoint_of(int fd);
// 0.0.0.0:0 when there is none, or one that is not of IP.
[[nodiscard]] endpoint remote_endpoint_of(int fd);

// AF_INET and the like. Throws std::system_error.
[[nodiscard]] int family_of(int fd);

// What from_fd takes over.
struct taken_over {
    const char* what;  // as the error says it
    int type;          // SOCK_STREAM, SOCK_DGRAM
    bool of_ip;        // the families it may be of
    bool of_unix;
    bool listens;
};

// Makes `fd` non-blocking, if it is what it shall be; throws std::system_error naming both otherwise.
void take_over(int fd, const taken_over& wanted);

// The peer of a connected socket sees the end. Throws std::system_error.
void shutdown_send(const socket_state& socket);

// Whether an error of accept(2) is the connection's own: it died before it was accepted, or the network did.
[[nodiscard]] bool is_connection_error(std::error_code error) noexcept;

// `peer` stays alive until it has ended. co_await gives result<void>.
class [[nodiscard]] connect_awaiter : public socket_awaiter<connect_awaiter> {
public:
    connect_awaiter(socket_state& socket, const sockaddr* peer, socklen_t size) noexcept
        : leaf_awaiter(connect_kind, operation_kind::connect, socket) {
        address = const_cast<sockaddr*>(peer);
        length = size;
    }
    bool take_now() { return begin(); }
    leat::result<void> await_resume() const noexcept {
        return operation::result < 0 ? leat::result<void>(error()) : leat::result<void>();
    }
};

// co_await gives the new descriptor as a result<int>. The name of the peer is written to `peer`, which stays
// alive until then, unless it is null.
class [[nodiscard]] accept_awaiter : public socket_awaiter<accept_awaiter> {
public:
    accept_awaiter(socket_state& socket, sockaddr* peer, socklen_t size) noexcept
        : leaf_awaiter(accept_kind, operation_kind::accept, socket) {
        address = peer;
        length = size;
    }
    bool take_now() { return begin(); }
    leat::result<int> await_resume() const noexcept {
        return operation::result < 0 ? leat::result<int>(error())
                                     : leat::result<int>(static_cast<int>(operation::result));
    }
};

}  // namespace leat::detail
