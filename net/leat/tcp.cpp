// SPDX-License-Identifier: MIT
#include <leat/tcp.hpp>

#include <leat/backends/backend.hpp>
#include <leat/fd.hpp>
#include <leat/timeout.hpp>

#include <cstring>

namespace leat {

using detail::calls;
using detail::local_endpoint_of;
using detail::make_non_blocking;
using detail::set_int_option;

namespace {

// It fails only where it does not matter: on a connection that is gone already.
void disable_nagle(int fd) {
    const int on = 1;
    (void)calls().set_option(fd, IPPROTO_TCP, TCP_NODELAY, std::as_bytes(std::span(&on, 1)));
}

// A socket that is about to connect is bound to where it shall do so from. Port 0 is left to the connect,
// which knows the peer: connections to different peers may share one, and none is used up before.
result<void> bind_to_connect(int fd, const endpoint& local, const endpoint& peer) {
    if (local.family() != peer.family()) {
        return std::make_error_code(std::errc::address_family_not_supported);
    }
    if (local.port() == 0) {
        const int on = 1;
        (void)calls().set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, std::as_bytes(std::span(&on, 1)));
    }
    return calls().bind(fd, local.data(), local.size());
}

// A connection's own error: it died before it was accepted, or the network did (accept(2)).
bool of_the_connection(int error) noexcept {
    switch (error) {
        case ECONNABORTED:
        case ECONNRESET:
        case EPERM:
        case EPROTO:
        case ENOPROTOOPT:
        case ENETDOWN:
        case ENETUNREACH:
        case ENONET:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ETIMEDOUT:
            return true;
        default:
            return false;
    }
}

// `peer` lives until it has ended.
class connect_awaiter : public detail::socket_awaiter {
public:
    connect_awaiter(detail::socket_state& socket, const endpoint& peer) noexcept
        : socket_awaiter(detail::connect_kind, operation_kind::connect, socket) {
        address = const_cast<sockaddr*>(peer.data());
        length = peer.size();
    }
    leat::result<void> await_resume() const noexcept {
        return operation::result < 0 ? leat::result<void>(error()) : leat::result<void>();
    }
};

class accept_awaiter : public detail::socket_awaiter {
public:
    explicit accept_awaiter(detail::socket_state& socket) noexcept
        : socket_awaiter(detail::accept_kind, operation_kind::accept, socket) {
        address = reinterpret_cast<sockaddr*>(&peer_);
        length = sizeof peer_;
    }
    bool await_ready() { return begin(); }
    // The new descriptor, or an error.
    leat::result<int> await_resume() const noexcept {
        return operation::result < 0 ? leat::result<int>(error())
                                     : leat::result<int>(static_cast<int>(operation::result));
    }
    [[nodiscard]] endpoint peer() const {
        const socklen_t size = peer_.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        return endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&peer_), size);
    }

private:
    sockaddr_in6 peer_{};
};

}  // namespace

std::string detail::describe_connect(const std::string& peer, const std::optional<endpoint>& local) {
    return "connect to " + peer + (local.has_value() ? " from " + local->to_string() : "");
}

tcp_stream::tcp_stream(int fd, const endpoint& remote) : socket_(new detail::socket_state(fd)) {
    socket_->remote = remote;
}

task<tcp_stream> tcp_stream::connect(endpoint peer, tcp_connect_options options) {
    const int fd = calls().open(peer.family(), SOCK_STREAM, 0).value("socket");
    tcp_stream stream(fd, peer);
    disable_nagle(fd);
    result<void> connected =
        options.local.has_value() ? bind_to_connect(fd, *options.local, peer) : result<void>();
    if (connected.ok()) {
        const auto ended = co_await move_on_after(options.timeout, connect_awaiter(stream.state(), peer));
        connected = ended.has_value() ? *ended : std::make_error_code(std::errc::timed_out);
    }
    if (!connected.ok()) {
        throw std::system_error(connected.error(), detail::describe_connect(peer.to_string(), options.local));
    }
    co_return stream;
}

tcp_stream tcp_stream::from_fd(int fd) {
    detail::require_kernel("from_fd");
    tcp_stream stream(fd, endpoint());
    make_non_blocking(fd);
    stream.socket_->remote = detail::remote_endpoint_of(fd);
    return stream;
}

void tcp_stream::shutdown_send() {
    if (!is_open()) {
        throw std::system_error(stream_errc::closed, "shutdown");
    }
    const result<void> done = calls().shutdown(state().descriptor, SHUT_WR);
    if (!done && done.error() != std::errc::not_connected) {  // the peer may be gone already: it has the end
        done.value("shutdown");
    }
}

endpoint tcp_stream::local_endpoint() const {
    return local_endpoint_of(state().descriptor);
}

void tcp_stream::set_option(int level, int name, int value) {
    set_int_option(state().descriptor, level, name, value);
}

void tcp_stream::set_reset_on_close() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    calls()
        .set_option(state().descriptor, SOL_SOCKET, SO_LINGER, std::as_bytes(std::span(&reset, 1)))
        .value("set a socket option");
}

tcp_listener::tcp_listener(int fd) : socket_(new detail::socket_state(fd)) {}

tcp_listener::~tcp_listener() {
    if (socket_ != nullptr) {
        socket_->close();
        socket_->drop_reference();
    }
}

tcp_listener tcp_listener::bind(const endpoint& at, tcp_listen_options options) {
    const std::string what = "listen on " + at.to_string();
    tcp_listener listener(calls().open(at.family(), SOCK_STREAM, 0).value(what.c_str()));
    const int fd = listener.socket_->descriptor;
    set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, what.c_str());
    if (options.reuse_port) {
        set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, what.c_str());
    }
    if (at.is_ipv6()) {
        set_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.dual_stack ? 0 : 1, what.c_str());
    }
    calls().bind(fd, at.data(), at.size()).value(what.c_str());
    calls().listen(fd, options.backlog).value(what.c_str());
    return listener;
}

tcp_listener tcp_listener::from_fd(int fd) {
    detail::require_kernel("from_fd");
    tcp_listener listener(fd);
    make_non_blocking(fd);
    return listener;
}

task<tcp_stream> tcp_listener::accept() {
    for (;;) {
        accept_awaiter next(*socket_);
        const result<int> fd = co_await next;
        if (fd.ok()) {
            tcp_stream stream(*fd, next.peer());
            disable_nagle(*fd);
            co_return stream;
        }
        if (fd.error().category() != std::system_category() || !of_the_connection(fd.error().value())) {
            throw std::system_error(fd.error(), "accept");
        }
    }
}

endpoint tcp_listener::local_endpoint() const {
    return local_endpoint_of(socket_->descriptor);
}

}  // namespace leat
