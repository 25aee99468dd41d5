// SPDX-License-Identifier: MIT
// tcp_listener and tcp_stream: TCP connections. Both own their socket: close() and the destructor close it.
// They belong to one run at a time, from their first operation to its end: see detach().
#pragma once

#include <leat/core/socket_stream.hpp>
#include <leat/endpoint.hpp>
#include <leat/socket_options.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace leat {

struct tcp_connect_options {
    duration timeout = std::chrono::seconds(60);  // for all of it: names, addresses and handshakes
    // Where to connect from: an address of this machine, and a port or 0 for any. Without it the kernel
    // chooses both. Of a host's addresses only those of its family are tried.
    std::optional<endpoint> local = std::nullopt;
    // TCP_FASTOPEN_CONNECT (RFC 7413): to a server that was connected to before, the first bytes sent go with
    // the first packet. Then connect is over at once, whether there is a server or not, and what keeps it
    // from connecting is an error of the first send. For protocols whose client speaks first, and whose
    // server may hear it twice. It connects as usual where the kernel or the server does otherwise, and in a
    // simulation.
    bool fast_open = false;
    // As tcp_stream::set_keep_alive and set_user_timeout; zero: as the kernel does.
    std::optional<keep_alive_options> keep_alive = std::nullopt;
    duration user_timeout = duration::zero();
    socket_options socket = {};
};

// One TCP connection. recv, recv_exactly, recv_chunk, send, send_all, bytes_sent, shutdown_send, close,
// reset, is_open, set_option and native_handle are those of socket_stream.hpp. Nagle's algorithm is off at
// first (set_no_delay).
class tcp_stream : public detail::socket_stream {
public:
    // Connects to `peer`. Throws std::system_error naming it, and options.local if given: for one of the
    // other family with std::errc::address_family_not_supported. Cancelled: the socket is closed.
    [[nodiscard]] static task<tcp_stream> connect(endpoint peer, tcp_connect_options options = {});
    // Resolves `host` and tries its addresses until one answers (RFC 8305). Throws the last error, naming
    // host and port.
    [[nodiscard]] static task<tcp_stream> connect(std::string host, int port,
                                                  tcp_connect_options options = {});
    // Takes over a connected socket, also one of the Unix domain, and makes it non-blocking. Throws
    // std::system_error for what is not a stream, or listens; then the descriptor is still the caller's.
    [[nodiscard]] static tcp_stream from_fd(int fd);

    tcp_stream() noexcept = default;

    [[nodiscard]] endpoint local_endpoint() const;
    [[nodiscard]] const endpoint& remote_endpoint() const noexcept { return state().remote; }
    // What remote_endpoint() gives from now on: the client that a proxy tells of (proxied_listener.hpp).
    void set_remote_endpoint(const endpoint& client) noexcept { state().remote = client; }
    // TCP_NODELAY: small sends leave at once.
    void set_no_delay(bool on);
    // SO_KEEPALIVE, as the system's administrator has set it up (tcp(7)), or as it is said here.
    void set_keep_alive(bool on) { set_option(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0); }
    void set_keep_alive(const keep_alive_options& options);
    // TCP_USER_TIMEOUT: ends the connection with the error timed_out when the peer has not acknowledged, for
    // so long, what was sent; in milliseconds, rounded up. Zero: after the kernel's count of tries, which
    // takes about a quarter of an hour. With keep-alive it takes the place of the count (tcp(7)).
    void set_user_timeout(duration limit);
    // Closing sends a reset instead of an end, and drops what is unsent.
    void set_reset_on_close();

private:
    friend class tcp_listener;
    using socket_stream::socket_stream;
};

namespace detail {

// "connect to example.org:80 from 192.0.2.1:0", for errors.
[[nodiscard]] std::string describe_connect(const std::string& peer, const std::optional<endpoint>& local);

}  // namespace detail

struct tcp_listen_options {
    int backlog = SOMAXCONN;  // connections that wait to be accepted; the kernel has its own limit
    bool reuse_port = false;  // SO_REUSEPORT: several listeners share the port
    bool dual_stack = false;  // an IPv6 listener also takes IPv4, as mapped addresses
    // TCP_FASTOPEN (RFC 7413): from clients that were here before it takes bytes with the first packet; how
    // many such connections may not have been confirmed yet. 0: none. The system has to allow it to servers
    // (net.ipv4.tcp_fastopen). A simulation keeps it without an effect.
    int fast_open = 0;
    // Of the connections that are accepted: as tcp_stream::set_keep_alive and set_user_timeout. It takes no
    // system call for each of them.
    std::optional<keep_alive_options> keep_alive = std::nullopt;
    duration user_timeout = duration::zero();
    socket_options socket = {};  // the connections that are accepted have them, too
};

// A socket that accepts connections. SO_REUSEADDR is set, so that a server can be restarted at once.
class tcp_listener : public detail::socket_listener {
public:
    // Throws std::system_error naming the endpoint. Port 0 picks a free one: see local_endpoint(). Outside of
    // a run, too: prefork() wants a listener that is there before its workers.
    [[nodiscard]] static tcp_listener bind(const endpoint& at, tcp_listen_options options = {});
    // Takes over a listening socket of IP, and makes it non-blocking. Throws std::system_error for any other
    // descriptor; then it is still the caller's.
    [[nodiscard]] static tcp_listener from_fd(int fd);

    // Waits for the next connection. Errors of a connection that failed in the queue are skipped; others are
    // thrown, also EMFILE and the like, which serve() handles by waiting. Cancelled: no connection was taken.
    [[nodiscard]] task<tcp_stream> accept();

    [[nodiscard]] endpoint local_endpoint() const;

private:
    tcp_listener() = default;
};

}  // namespace leat
