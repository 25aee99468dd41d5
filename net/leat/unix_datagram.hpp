// SPDX-License-Identifier: MIT
// unix_datagram: datagrams between programs of one machine, over sockets of the Unix domain, as those of
// syslog and systemd. None is lost, duplicated or reordered: who sends waits while the receiver has no room.
// It owns its socket, and belongs to one run at a time: see detach(). Not in a simulation: there they throw
// std::errc::operation_not_supported.
//
//   auto socket = leat::unix_datagram::bind("/run/mill/log");
//   const leat::unix_message line = co_await socket.recv_from(buffer);
//
// One task at a time receives, and one sends.
// Invariant: a datagram is received or sent once and whole, or not at all.
#pragma once

#include <leat/core/unix_message_socket.hpp>
#include <leat/task.hpp>
#include <leat/unix.hpp>
#include <leat/unix_message.hpp>

#include <span>
#include <utility>

namespace leat {

struct unix_datagram_options {
    // As in unix_listen_options: replaces a socket at the path that no process has.
    bool replace_stale = false;
};

// See the awaiters of unix_message.hpp for what each operation gives, when it completes and what cancelling
// it means. Without co_await, functions do not wait; they throw std::system_error. Its options and names are
// in unix_message_socket.hpp.
class unix_datagram : public detail::unix_message_socket {
public:
    // Bound to a path, to an abstract name, or, from nowhere, to an abstract name that the kernel makes up.
    // The file at its path is removed when it is closed or ends.
    [[nodiscard]] static unix_datagram bind(const unix_endpoint& at, unix_datagram_options options = {});
    // Without a name: it sends only, and nobody can answer it.
    [[nodiscard]] static unix_datagram open();
    // Takes over a datagram socket of the Unix domain, and makes it non-blocking. Throws std::system_error
    // for any other descriptor; then it is still the caller's.
    [[nodiscard]] static unix_datagram from_fd(int fd);
    // Two connected sockets (socketpair(2)).
    [[nodiscard]] static std::pair<unix_datagram, unix_datagram> pair();

    unix_datagram() noexcept = default;

    // From now on only datagrams of `peer` are received, send() goes to it, and an error of it is told here:
    // connection_reset when it has closed. Throws std::system_error naming it.
    void connect(const unix_endpoint& peer);

    // Receive one datagram, an empty one too; with the descriptors that come with it, or without.
    recv_message_awaiter recv_from(byte_buffer into) noexcept { return {state(), into}; }
    recv_descriptors_awaiter recv_with(byte_buffer into, std::span<fd> descriptors) noexcept {
        return {state(), into, descriptors};
    }

    // Send one datagram to the peer that it is connected to.
    send_message_awaiter send(byte_view from) noexcept { return {state(), from}; }
    send_descriptors_awaiter send_with(byte_view from, std::span<const int> descriptors) noexcept {
        return {state(), from, descriptors};
    }
    // To anyone, with descriptors or without; the bytes and the descriptors stay alive until it ends, and the
    // socket open. Nothing tells when a receiver that is full has room again: it is asked after a
    // millisecond, then less and less often, ten times a second in the end. A connected socket is told.
    // Throws std::system_error naming `to`. Cancelled: nothing was sent.
    [[nodiscard]] task<> send_to(byte_view from, unix_endpoint to, std::span<const int> descriptors = {});

    // Operations in flight end with operation_canceled, and the descriptor closes: its name is free when this
    // returns. Later operations fail with stream_errc::closed.
    void close() noexcept {
        file_.remove();
        if (has_descriptor()) {
            state().close();
        }
    }

private:
    explicit unix_datagram(detail::socket_state& made) noexcept : unix_message_socket(made) {}

    detail::socket_file file_;  // goes before the socket
};

}  // namespace leat
