// SPDX-License-Identifier: MIT
// tcp_listener and tcp_stream: TCP connections. Both own their socket: closing them, or their end, closes
// it. They belong to one scheduler; a stream that outlives run() can still be closed.
#pragma once

#include <leat/endpoint.hpp>
#include <leat/socket.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <netinet/tcp.h>

namespace leat {

struct tcp_connect_options {
    duration timeout = std::chrono::seconds(60);  // for all of it: names, addresses and handshakes
    // Where to connect from: an address of this machine, and a port or 0 for any. Without it the kernel
    // chooses both. Of a host's addresses only those of its family are tried.
    std::optional<endpoint> local = std::nullopt;
};

// One TCP connection. See the awaiters in socket.hpp for what each operation gives, when it completes and
// what cancelling it means. Nagle's algorithm is off at first (set_no_delay).
class tcp_stream {
public:
    // Connects to `peer`. Throws std::system_error naming it, and options.local if given: for one of the
    // other family with std::errc::address_family_not_supported. Cancelled: the socket is closed.
    [[nodiscard]] static task<tcp_stream> connect(endpoint peer, tcp_connect_options options = {});
    // Resolves `host` and tries its addresses until one answers (RFC 8305). Throws the last error, naming
    // host and port.
    [[nodiscard]] static task<tcp_stream> connect(std::string host, int port,
                                                  tcp_connect_options options = {});
    // Takes over a connected socket, and makes it non-blocking.
    [[nodiscard]] static tcp_stream from_fd(int fd);

    tcp_stream() noexcept = default;
    tcp_stream(tcp_stream&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    tcp_stream& operator=(tcp_stream&& other) noexcept {
        if (this != &other) {
            drop();
            socket_ = std::exchange(other.socket_, nullptr);
        }
        return *this;
    }
    ~tcp_stream() { drop(); }

    // Receives some bytes, or exactly as many as fit, or some in a leased buffer.
    recv_awaiter recv(byte_buffer into) noexcept { return {state(), into}; }
    recv_exactly_awaiter recv_exactly(byte_buffer into) noexcept { return {state(), into}; }
    recv_chunk_awaiter recv_chunk() noexcept { return recv_chunk_awaiter(state()); }

    // Sends some bytes, or all of them.
    send_awaiter send(byte_view from) noexcept { return {state(), from}; }
    send_all_awaiter send_all(byte_view from) noexcept { return {state(), from}; }
    template <typename... More>
        requires(sizeof...(More) > 0)
    send_pieces_awaiter<1 + sizeof...(More)> send_all(byte_view first, const More&... more) noexcept {
        return send_pieces_awaiter<1 + sizeof...(More)>(state(), first, byte_view(more)...);
    }
    // What has been handed to the kernel on this stream so far.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return state().bytes_sent; }

    // The peer sees the end after what was sent; receiving goes on. Throws std::system_error.
    void shutdown_send();

    // Operations in flight end with operation_canceled, then the descriptor closes. Later operations fail
    // with stream_errc::closed.
    void close() noexcept { state().close(); }
    [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr && socket_->descriptor >= 0; }

    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] const endpoint& remote_endpoint() const noexcept { return state().remote; }
    // TCP_NODELAY: small sends leave at once.
    void set_no_delay(bool on) { set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }
    void set_keep_alive(bool on) { set_option(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0); }
    // SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles them.
    void set_send_buffer(int size) { set_option(SOL_SOCKET, SO_SNDBUF, size); }
    void set_recv_buffer(int size) { set_option(SOL_SOCKET, SO_RCVBUF, size); }
    // Closing sends a reset instead of an end, and drops what is unsent.
    void set_reset_on_close();
    // setsockopt(2) with an int. Throws std::system_error.
    void set_option(int level, int name, int value);
    // The descriptor, for what leat does not offer; -1 when closed. It stays this stream's.
    [[nodiscard]] int native_handle() const noexcept { return state().descriptor; }

private:
    friend class tcp_listener;
    tcp_stream(int fd, const endpoint& remote);

    [[nodiscard]] detail::socket_state& state() const noexcept {
        check(socket_ != nullptr, "this stream has not been moved from");
        return *socket_;
    }
    void drop() noexcept {
        if (detail::socket_state* socket = std::exchange(socket_, nullptr)) {
            socket->close();
            socket->drop_reference();
        }
    }

    detail::socket_state* socket_ = nullptr;
};

namespace detail {

// "connect to example.org:80 from 192.0.2.1:0", for errors.
[[nodiscard]] std::string describe_connect(const std::string& peer, const std::optional<endpoint>& local);

}  // namespace detail

struct tcp_listen_options {
    int backlog = SOMAXCONN;  // connections that wait to be accepted; the kernel has its own limit
    bool reuse_port = false;  // SO_REUSEPORT: several listeners share the port
    bool dual_stack = false;  // an IPv6 listener also takes IPv4, as mapped addresses
};

// A socket that accepts connections. SO_REUSEADDR is set, so that a server can be restarted at once.
class tcp_listener {
public:
    // Throws std::system_error naming the endpoint. Port 0 picks a free one: see local_endpoint().
    [[nodiscard]] static tcp_listener bind(const endpoint& at, tcp_listen_options options = {});
    // Takes over a listening socket, and makes it non-blocking.
    [[nodiscard]] static tcp_listener from_fd(int fd);

    tcp_listener(tcp_listener&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    tcp_listener& operator=(tcp_listener&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~tcp_listener();

    // Waits for the next connection. Errors of a connection that died in the queue are passed over; others
    // are thrown (EMFILE and the like too: serve() knows how to wait them out). Cancelled: no connection
    // was taken.
    [[nodiscard]] task<tcp_stream> accept();

    // A pending accept ends with operation_canceled; connections in the queue are reset.
    void close() noexcept { socket_->close(); }
    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] int native_handle() const noexcept { return socket_->descriptor; }

private:
    explicit tcp_listener(int fd);
    detail::socket_state* socket_;
};

}  // namespace leat
