// SPDX-License-Identifier: MIT
// unix_listener and unix_stream: connections between programs of one machine, over sockets of the Unix
// domain. They behave as those of TCP (tcp.hpp) unless this header says otherwise. Both own their socket.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/socket_at_path.hpp>
#include <leat/core/socket_stream.hpp>
#include <leat/task.hpp>
#include <leat/unix_endpoint.hpp>
#include <leat/unix_message.hpp>

#include <chrono>
#include <span>
#include <utility>

namespace leat {

struct unix_connect_options {
    duration timeout = std::chrono::seconds(60);
};

// One connection. Its other operations are in socket_stream.hpp.
class unix_stream : public detail::socket_stream {
public:
    // Connects to the listener at `peer`, and waits while its queue is full. Throws std::system_error naming
    // it. Cancelled: the socket is closed.
    [[nodiscard]] static task<unix_stream> connect(unix_endpoint peer, unix_connect_options options = {});
    // Takes over a connected socket, and makes it non-blocking. Throws std::system_error for what is not a
    // stream of the Unix domain, or listens; then the descriptor is still the caller's. Not in a simulation.
    [[nodiscard]] static unix_stream from_fd(int fd);
    // Two connected streams (socketpair(2)). Throws std::system_error; not in a simulation.
    [[nodiscard]] static std::pair<unix_stream, unix_stream> pair();

    unix_stream() noexcept = default;

    // Bytes with descriptors, and what comes of both: see unix_message.hpp. Descriptors that come with bytes
    // which anything else receives, recv or recv_chunk, are closed. An empty buffer is misuse. Not in a
    // simulation: they fail with std::errc::operation_not_supported.
    send_descriptors_awaiter send_with(byte_view from, std::span<const int> descriptors) noexcept {
        return {state(), from, descriptors};
    }
    recv_descriptors_awaiter recv_with(byte_buffer into, std::span<fd> descriptors) noexcept {
        detail::check_room(into.size());
        return {state(), into, descriptors, true};
    }

    // Both throw std::system_error.
    [[nodiscard]] unix_endpoint local_endpoint() const;
    [[nodiscard]] unix_endpoint remote_endpoint() const;
    // SO_PEERCRED. Throws std::system_error; in a simulation with std::errc::no_protocol_option.
    [[nodiscard]] unix_credentials peer_credentials() const;

private:
    friend class unix_listener;
    friend class detail::socket_listener_at_path;
    explicit unix_stream(detail::socket_state& made) noexcept : socket_stream(made) {
        state().of_unix = true;
    }
};

struct unix_listen_options {
    int backlog = SOMAXCONN;  // connections that wait to be accepted; the kernel has its own limit
    // Replaces a socket at the path that no process listens on, such as one left by a killed process. Without
    // this the path is in use, as with any other file. To find that out, bind() connects to the socket. If
    // two processes do so at the same time, one may lose its path.
    bool replace_stale = false;
};

// A socket that accepts connections.
class unix_listener : public detail::socket_listener_at_path {
public:
    // Binds and listens. Throws std::system_error naming the endpoint; std::errc::address_in_use also for a
    // path where something else is. Outside of a run, too, as that of tcp_listener.
    [[nodiscard]] static unix_listener bind(const unix_endpoint& at, unix_listen_options options = {});
    // Takes over a listening socket, and makes it non-blocking; its file is left alone. Throws
    // std::system_error for any other descriptor; then it is still the caller's. Not in a simulation.
    [[nodiscard]] static unix_listener from_fd(int fd);

    // Waits for the next connection; throws as that of tcp_listener. Cancelled: no connection was taken.
    [[nodiscard]] task<unix_stream> accept();

private:
    unix_listener() = default;
};

}  // namespace leat
