// SPDX-License-Identifier: MIT
// unix_seqpacket: connections between programs of one machine whose messages keep their bounds, over sockets
// of the Unix domain (SOCK_SEQPACKET), and their listener. Messages come in order, each once and whole. Both
// own their socket, and belong to one run at a time: see detach(). Not in a simulation: there they throw
// std::errc::operation_not_supported.
//
//   auto peer = co_await leat::unix_seqpacket::connect("/run/mill/control");
//   co_await peer.send("open the gate");
//   const leat::unix_message answer = co_await peer.recv(buffer);
//
// One task at a time receives, and one sends.
#pragma once

#include <leat/core/unix_message_socket.hpp>
#include <leat/task.hpp>
#include <leat/unix.hpp>
#include <leat/unix_message.hpp>

#include <span>
#include <utility>

namespace leat {

// One connection. See the awaiters of unix_message.hpp for what each operation gives, when it completes and
// what cancelling it means. Its options and names are in unix_message_socket.hpp.
class unix_seqpacket : public detail::unix_message_socket {
public:
    // As those of unix_stream.
    [[nodiscard]] static task<unix_seqpacket> connect(unix_endpoint peer, unix_connect_options options = {});
    [[nodiscard]] static unix_seqpacket from_fd(int fd);
    [[nodiscard]] static std::pair<unix_seqpacket, unix_seqpacket> pair();

    unix_seqpacket() noexcept = default;

    // Receive one message, with the descriptors that come with it, or without. A size of 0 is the end of the
    // connection; an empty buffer is misuse.
    recv_message_awaiter recv(byte_buffer into) noexcept {
        detail::check_room(into.size());
        return {state(), into};
    }
    recv_descriptors_awaiter recv_with(byte_buffer into, std::span<fd> descriptors) noexcept {
        detail::check_room(into.size());
        return {state(), into, descriptors};
    }

    // Send one message. An empty one, which nothing tells from the end, is misuse.
    send_message_awaiter send(byte_view from) noexcept {
        check_not_empty(from);
        return {state(), from};
    }
    send_descriptors_awaiter send_with(byte_view from, std::span<const int> descriptors) noexcept {
        check_not_empty(from);
        return {state(), from, descriptors};
    }

    // The peer sees the end after what was sent; receiving goes on. Throws std::system_error.
    void shutdown_send();
    // Operations in flight end with operation_canceled, and the descriptor closes. Later operations fail with
    // stream_errc::closed.
    void close() noexcept { state().close(); }

private:
    friend class detail::socket_listener_at_path;
    friend class unix_seqpacket_listener;
    explicit unix_seqpacket(detail::socket_state& made) noexcept : unix_message_socket(made) {}

    static void check_not_empty(byte_view message) noexcept {
        check(message.size() != 0, "a message of a unix_seqpacket is not empty");
    }
};

// A socket that accepts connections. bind, from_fd and accept are as those of unix_listener.
class unix_seqpacket_listener : public detail::socket_listener_at_path {
public:
    [[nodiscard]] static unix_seqpacket_listener bind(const unix_endpoint& at,
                                                      unix_listen_options options = {});
    [[nodiscard]] static unix_seqpacket_listener from_fd(int fd);

    // Waits for the next connection. Cancelled: no connection was taken.
    [[nodiscard]] task<unix_seqpacket> accept();

private:
    unix_seqpacket_listener() = default;
};

}  // namespace leat
