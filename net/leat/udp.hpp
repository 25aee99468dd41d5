// SPDX-License-Identifier: MIT
// udp_socket: sends and receives datagrams, for servers and clients. It owns its socket: close() and the
// destructor close that. It belongs to one run at a time, from its first operation to its end: see detach().
//
//   auto socket = leat::udp_socket::bind({"0.0.0.0", 5300});
//   const leat::datagram question = co_await socket.recv_from(buffer);
//   co_await socket.send_to(answer, question.from);
//
// One task at a time receives, and one sends. The network may lose, duplicate or reorder datagrams; neither
// side is told.
// Invariant: a datagram is received or sent once and whole, or not at all.
#pragma once

#include <leat/core/datagram_operation.hpp>
#include <leat/core/socket_owner.hpp>
#include <leat/datagram_batch.hpp>
#include <leat/endpoint.hpp>
#include <leat/socket_options.hpp>
#include <leat/task.hpp>

namespace leat {

// What has been received.
struct datagram {
    std::size_t size = 0;    // bytes in the buffer; there are datagrams of none
    endpoint from;           // the sender; 0.0.0.0:0 when the socket is not one of IP
    bool truncated = false;  // it was longer than the buffer, and the rest of it is lost
};

// co_await gives a datagram, as soon as there is one: as much of it as fits into the buffer, which stays
// alive and untouched until then. Cancelled: no datagram was taken. Errors are the kernel's:
// connection_refused when a peer that is connected to has refused an earlier datagram, which is told once;
// operation_canceled when the socket is closed meanwhile.
class [[nodiscard]] recv_from_awaiter
    : public detail::leaf_awaiter<recv_from_awaiter, detail::datagram_operation> {
public:
    recv_from_awaiter(detail::socket_state& socket, byte_buffer into) noexcept
        : leaf_awaiter(detail::recv_kind, operation_kind::recv_datagram, socket, into.data(), into.size()) {}
    bool take_now() {
        check(!socket().coalesces, "a socket that coalesces datagrams is received from by recv_batch");
        return begin_with(&sender_, sizeof sender_);
    }
    leat::result<datagram> take() const noexcept;
    datagram await_resume() const;

protected:
    [[noreturn]] void fail(std::error_code reason) const;

private:
    [[nodiscard]] datagram received() const noexcept;

    sockaddr_in6 sender_{};
};

// The same without the sender: co_await gives std::size_t, the bytes of the datagram. If it does not fit,
// that is the error message_size; its beginning is in the buffer, and the rest is lost.
class [[nodiscard]] recv_datagram_awaiter : public recv_from_awaiter {
public:
    using recv_from_awaiter::recv_from_awaiter;
    leat::result<std::size_t> take() const noexcept;
    std::size_t await_resume() const;
};

// co_await hands the bytes to the kernel as one datagram, and waits while it has no room for it. The bytes
// stay alive and unchanged until then. Cancelled: nothing was sent. Errors are the kernel's: message_size for
// more than a datagram can be (65,507 bytes over IPv4); destination_address_required when there is no peer;
// connection_refused as for receiving.
class [[nodiscard]] send_datagram_awaiter
    : public detail::leaf_awaiter<send_datagram_awaiter, detail::datagram_operation> {
public:
    // To the peer that the socket is connected to.
    send_datagram_awaiter(detail::socket_state& socket, byte_view from) noexcept
        : leaf_awaiter(detail::send_kind, operation_kind::send_datagram, socket,
                       const_cast<std::byte*>(from.data()), from.size()),
          to_(socket.remote) {}
    send_datagram_awaiter(detail::socket_state& socket, byte_view from, const endpoint& to) noexcept
        : send_datagram_awaiter(socket, from) {
        to_ = to;
        named_ = true;
    }
    bool take_now() {
        return named_ ? begin_with(const_cast<sockaddr*>(to_.data()), to_.size()) : begin_with(nullptr, 0);
    }
    leat::result<void> take() const noexcept;
    void await_resume() const;

private:
    endpoint to_;
    bool named_ = false;  // it was said to whom
};

// co_await fixes the peer; nothing is sent to it. Cancelled: the peer is as before.
class [[nodiscard]] connect_datagrams_awaiter : public detail::socket_awaiter<connect_datagrams_awaiter> {
public:
    connect_datagrams_awaiter(detail::socket_state& socket, const endpoint& peer) noexcept
        : leaf_awaiter(detail::connect_kind, operation_kind::connect, socket), peer_(peer) {}
    bool take_now() {
        address = const_cast<sockaddr*>(peer_.data());
        length = peer_.size();
        return begin();
    }
    leat::result<void> take() noexcept;
    void await_resume();

private:
    endpoint peer_;
};

struct udp_bind_options {
    bool reuse_port = false;     // SO_REUSEPORT: several sockets share the port, each sender has one of them
    bool reuse_address = false;  // SO_REUSEADDR: so that several sockets, of other programs too, hear one
                                 // group at one port: each gets every datagram
    bool dual_stack = false;     // an IPv6 socket also exchanges datagrams of IPv4, with mapped addresses
    bool broadcast = false;      // SO_BROADCAST: it may send to broadcast addresses
    // UDP_GRO, where the kernel has it: datagrams of one sender come through it together. Only recv_batch
    // receives from such a socket; anything else is misuse. What is received is the same.
    bool coalesce = false;
    socket_options socket = {};
};

// See the awaiters above for what each operation gives, when it completes and what cancelling it means.
// Without co_await, functions do not wait; they throw std::system_error.
class udp_socket : public detail::socket_owner {
public:
    // The error names the endpoint. Port 0 picks a free one, as a client wants it: bind({"0.0.0.0", 0}).
    [[nodiscard]] static udp_socket bind(const endpoint& at, udp_bind_options options = {});
    // Takes over a datagram socket, also one of the Unix domain, and makes it non-blocking. One with UDP_GRO
    // is as one bound with `coalesce`. Throws std::system_error for any other descriptor; then it is still
    // the caller's.
    [[nodiscard]] static udp_socket from_fd(int fd);

    udp_socket() noexcept = default;

    // From now on only datagrams of `peer` are received (those that have come already stay), send() goes to
    // it, and a refusal of it is an error of the next operation. The latest peer counts.
    connect_datagrams_awaiter connect(const endpoint& peer) noexcept { return {state(), peer}; }

    // Receive one datagram, an empty one too.
    recv_from_awaiter recv_from(byte_buffer into) noexcept { return {state(), into}; }
    recv_datagram_awaiter recv(byte_buffer into) noexcept { return {state(), into}; }

    // Receive those that are there, once there is one, and as many as fit into the batch.
    recv_batch_awaiter recv_batch(received_batch& into) noexcept { return {state(), into}; }

    // Send all datagrams of the batch, in order, and wait while there is no room for them. The batch, and the
    // socket, stay alive and untouched until it ends. Throws std::system_error naming the receiver of the
    // first one in the batch, which has not been sent. Cancelled: what is in the batch has not been sent.
    [[nodiscard]] task<> send_batch(outgoing_batch& batch);

    // Send one datagram, to any endpoint or to the peer.
    send_datagram_awaiter send_to(byte_view from, const endpoint& to) noexcept { return {state(), from, to}; }
    send_datagram_awaiter send(byte_view from) noexcept { return {state(), from}; }

    // Operations in flight end with operation_canceled, and the descriptor closes: its port is free when this
    // returns. Later operations fail with stream_errc::closed.
    void close() noexcept { state().close(); }
    // Detaches the socket from its run: the next operation, or close(), may come from another run, also on
    // another thread. No task may wait on it now.
    void detach() { state().detach(); }
    [[nodiscard]] bool is_open() const noexcept { return has_descriptor(); }

    [[nodiscard]] endpoint local_endpoint() const;
    // The peer that it is connected to, or 0.0.0.0:0.
    [[nodiscard]] const endpoint& remote_endpoint() const noexcept { return state().remote; }

    // Multicast: datagrams to `group` that come in at the interface, or at the one that the routes say, are
    // received from now on, if they go to this socket's port and address. (Bound to 0.0.0.0 or :: it also
    // hears what goes to it alone; bound to the group it does not.) Once it has joined one it hears no group
    // that only others have joined. From a join of sources only those are heard, each named once. What has
    // come already stays after leaving. They throw std::system_error naming the group: address_in_use when it
    // has joined already, address_not_available when it leaves what it is not in. Not in a simulation: they
    // throw std::errc::no_protocol_option there.
    void join(const address& group, const interface_name& at = {});
    void leave(const address& group, const interface_name& at = {});
    void join_source(const address& group, const address& source, const interface_name& at = {});
    void leave_source(const address& group, const address& source, const interface_name& at = {});
    // Of what is sent to groups: whether this machine hears it too, as it does at first (the loopback
    // interface always hears it); how many routers it may pass, plus one, 1 at first, up to 255; where it
    // leaves, which is as the routes say without an interface. They throw std::system_error, in a simulation
    // as above.
    void set_multicast_loop(bool on);
    void set_multicast_hops(int most);
    void set_multicast_interface(const interface_name& at);

    // SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles them. Datagrams that find no room on arrival are
    // lost.
    void set_send_buffer(int size) { set_option(SOL_SOCKET, SO_SNDBUF, size); }
    void set_recv_buffer(int size) { set_option(SOL_SOCKET, SO_RCVBUF, size); }
    // setsockopt(2) with an int.
    void set_option(int level, int name, int value);
    // The descriptor, for what leat does not offer; -1 when closed. It stays this socket's.
    [[nodiscard]] int native_handle() const noexcept { return state().descriptor; }

private:
    explicit udp_socket(detail::socket_state& made) noexcept : socket_owner(made) {}

    void set_for_groups(int ipv4_name, int ipv6_name, int value, const char* what);

    [[nodiscard]] detail::socket_state& state() const noexcept {
        return state_or("the socket was moved from, or never opened");
    }
};

}  // namespace leat
