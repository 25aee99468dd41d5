// SPDX-License-Identifier: MIT
#include <leat/tcp.hpp>

#include <leat/core/socket_opening.hpp>
#include <leat/timeout.hpp>

#include <span>

#include <netinet/tcp.h>

namespace leat {

using detail::current_sockets;
using detail::local_endpoint_of;
using detail::set_int_option;
using detail::socket_state;

namespace {

// It fails only where it does not matter: on a connection that is gone already.
void disable_nagle(int fd) {
    const int on = 1;
    (void)current_sockets().set_option(fd, IPPROTO_TCP, TCP_NODELAY, std::as_bytes(std::span(&on, 1)));
}

// A socket that is about to connect is bound to where it shall do so from. Port 0 is left to the connect,
// which knows the peer: connections to different peers may share one, and none is used up before. A port of
// one's own may be that of a connection which the kernel still remembers (TIME_WAIT).
result<void> bind_to_connect(int fd, const endpoint& local, const endpoint& peer) {
    if (local.family() != peer.family()) {
        return std::make_error_code(std::errc::address_family_not_supported);
    }
    const int on = 1;
    if (local.port() == 0) {
        (void)current_sockets().set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
                                           std::as_bytes(std::span(&on, 1)));
    } else {
        (void)current_sockets().set_option(fd, SOL_SOCKET, SO_REUSEADDR, std::as_bytes(std::span(&on, 1)));
    }
    return current_sockets().bind(fd, local.data(), local.size());
}

// A kernel that does not know it connects as usual.
void prefer_fast_open(int fd) {
    const int on = 1;
    (void)current_sockets().set_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT,
                                       std::as_bytes(std::span(&on, 1)));
}

// What connecting and listening have in common.
template <typename Options>
void set_options(int fd, int family, const Options& options, const std::string& what) {
    detail::set_socket_options(fd, family, options.socket, what);
    if (options.keep_alive.has_value()) {
        detail::set_keep_alive(fd, *options.keep_alive, what);
    }
    if (options.user_timeout > duration::zero()) {
        detail::set_user_timeout(fd, options.user_timeout, what);
    }
}

}  // namespace

std::string detail::describe_connect(const std::string& peer, const std::optional<endpoint>& local) {
    return "connect to " + peer + (local.has_value() ? " from " + local->to_string() : "");
}

task<tcp_stream> tcp_stream::connect(endpoint peer, tcp_connect_options options) {
    tcp_stream stream(*new socket_state);
    const int fd = current_sockets().open(peer.family(), SOCK_STREAM, 0).value("socket");
    stream.state().descriptor = fd;
    stream.state().remote = peer;
    disable_nagle(fd);
    set_options(fd, peer.family(), options, detail::describe_connect(peer.to_string(), options.local));
    if (options.fast_open) {
        prefer_fast_open(fd);
    }
    result<void> connected =
        options.local.has_value() ? bind_to_connect(fd, *options.local, peer) : result<void>();
    if (connected.ok()) {
        detail::connect_awaiter connecting(stream.state(), peer.data(), peer.size());
        const auto ended = co_await move_on_after(options.timeout, connecting);
        connected = ended.has_value() ? *ended : std::make_error_code(std::errc::timed_out);
    }
    if (!connected.ok()) {
        throw std::system_error(connected.error(), detail::describe_connect(peer.to_string(), options.local));
    }
    co_return stream;
}

tcp_stream tcp_stream::from_fd(int fd) {
    detail::require_kernel("from_fd");
    tcp_stream stream(*new socket_state);
    detail::take_over(fd, {"a connected stream socket", SOCK_STREAM, true, true, false});
    stream.state().descriptor = fd;
    stream.state().remote = detail::remote_endpoint_of(fd);
    stream.state().of_unix = stream.remote_endpoint() == endpoint();  // it may be of the Unix domain
    return stream;
}

endpoint tcp_stream::local_endpoint() const {
    return local_endpoint_of(state().descriptor);
}

void tcp_stream::set_no_delay(bool on) {
    set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

void tcp_stream::set_keep_alive(const keep_alive_options& options) {
    detail::set_keep_alive(state().descriptor, options, "set a socket option");
}

void tcp_stream::set_user_timeout(duration limit) {
    detail::set_user_timeout(state().descriptor, limit, "set a socket option");
}

void tcp_stream::set_reset_on_close() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    current_sockets()
        .set_option(state().descriptor, SOL_SOCKET, SO_LINGER, std::as_bytes(std::span(&reset, 1)))
        .value("set a socket option");
}

tcp_listener tcp_listener::bind(const endpoint& at, tcp_listen_options options) {
    const std::string what = "listen on " + at.to_string();
    tcp_listener listener;
    const int fd = current_sockets().open(at.family(), SOCK_STREAM, 0).value(what.c_str());
    listener.state().descriptor = fd;
    set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, what.c_str());
    if (options.reuse_port) {
        set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, what.c_str());
    }
    if (at.is_ipv6()) {
        set_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.dual_stack ? 0 : 1, what.c_str());
    }
    set_options(fd, at.family(), options, what);
    if (options.fast_open > 0) {
        set_int_option(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fast_open, (what + ": TCP_FASTOPEN").c_str());
    }
    current_sockets().bind(fd, at.data(), at.size()).value(what.c_str());
    current_sockets().listen(fd, options.backlog).value(what.c_str());
    return listener;
}

tcp_listener tcp_listener::from_fd(int fd) {
    detail::require_kernel("from_fd");
    tcp_listener listener;
    detail::take_over(fd, {"a listening TCP socket", SOCK_STREAM, true, false, true});
    listener.state().descriptor = fd;
    return listener;
}

task<tcp_stream> tcp_listener::accept() {
    tcp_stream stream(*new socket_state);
    for (;;) {
        sockaddr_in6 name{};  // or a sockaddr_in, which is smaller
        detail::accept_awaiter next(state(), reinterpret_cast<sockaddr*>(&name), sizeof name);
        const result<int> fd = co_await next;
        if (fd.ok()) {
            const socklen_t size = name.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof name;
            stream.state().descriptor = *fd;
            stream.state().remote = endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&name), size);
            disable_nagle(*fd);
            co_return stream;
        }
        if (!detail::is_connection_error(fd.error())) {
            throw std::system_error(fd.error(), "accept");
        }
    }
}

endpoint tcp_listener::local_endpoint() const {
    return local_endpoint_of(state().descriptor);
}

}  // namespace leat
