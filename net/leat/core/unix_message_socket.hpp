// SPDX-License-Identifier: MIT
// unix_message_socket: what sockets of the Unix domain have in common that carry messages: the base of
// unix_datagram and unix_seqpacket.
#pragma once

#include <leat/core/socket_owner.hpp>
#include <leat/unix_endpoint.hpp>

#include <sys/socket.h>

namespace leat::detail {

class unix_message_socket : public socket_owner {
public:
    // Detaches the socket from its run: the next operation, or close(), may come from another run, also on
    // another thread. No task may wait on it now.
    void detach() { state().detach(); }
    [[nodiscard]] bool is_open() const noexcept { return has_descriptor(); }

    // They throw std::system_error; std::errc::not_connected when there is no peer.
    [[nodiscard]] unix_endpoint local_endpoint() const;
    [[nodiscard]] unix_endpoint remote_endpoint() const;
    // SO_PEERCRED. Of datagram sockets only a pair has them, those of the process that has made it; of others
    // all is 0.
    [[nodiscard]] unix_credentials peer_credentials() const;
    // SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles them. A message is no longer than the send
    // buffer.
    void set_send_buffer(int size) { set_option(SOL_SOCKET, SO_SNDBUF, size); }
    void set_recv_buffer(int size) { set_option(SOL_SOCKET, SO_RCVBUF, size); }
    // setsockopt(2) with an int. Throws std::system_error.
    void set_option(int level, int name, int value);
    // The descriptor, for what leat does not offer; -1 when closed. It stays this socket's.
    [[nodiscard]] int native_handle() const noexcept { return state().descriptor; }

protected:
    unix_message_socket() noexcept = default;
    explicit unix_message_socket(socket_state& made) noexcept : socket_owner(made) { state().of_unix = true; }

    [[nodiscard]] socket_state& state() const noexcept {
        return state_or("the socket was moved from, or never opened");
    }
};

}  // namespace leat::detail
