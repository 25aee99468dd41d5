// SPDX-License-Identifier: MIT
#include <leat/udp.hpp>

#include <leat/core/socket_opening.hpp>

#include <span>
#include <string>

#include <netinet/udp.h>

namespace leat {

using detail::current_sockets;
using detail::set_int_option;

namespace {

// Whether UDP_GRO is set, by whom the descriptor is from.
bool coalesces(int fd) noexcept {
    int on = 0;
    socklen_t size = sizeof on;
    return ::getsockopt(fd, SOL_UDP, UDP_GRO, &on, &size) == 0 && on != 0;
}

// "send to 10.0.0.1:53"; "send" when it is not known where to.
std::string described(const char* what, const char* toward, const endpoint& other) {
    return other.port() == 0 ? std::string(what) : what + (toward + other.to_string());
}

}  // namespace

datagram recv_from_awaiter::received() const noexcept {
    datagram made;
    made.size = static_cast<std::size_t>(operation::result);
    made.truncated = truncated();
    const bool ipv4 = header_.msg_namelen >= sizeof(sockaddr_in) && sender_.sin6_family == AF_INET;
    const bool ipv6 = header_.msg_namelen >= sizeof(sockaddr_in6) && sender_.sin6_family == AF_INET6;
    if (ipv4 || ipv6) {
        made.from = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&sender_), header_.msg_namelen);
    }
    return made;
}

void recv_from_awaiter::fail(std::error_code reason) const {
    throw std::system_error(reason, described("recv", " from ", socket().remote));
}

leat::result<datagram> recv_from_awaiter::take() const noexcept {
    return operation::result >= 0 ? leat::result<datagram>(received()) : leat::result<datagram>(error());
}

datagram recv_from_awaiter::await_resume() const {
    if (operation::result < 0) [[unlikely]] {
        fail(error());
    }
    return received();
}

leat::result<std::size_t> recv_datagram_awaiter::take() const noexcept {
    if (operation::result < 0 || truncated()) [[unlikely]] {
        return operation::result < 0 ? error() : errno_code(EMSGSIZE);
    }
    return static_cast<std::size_t>(operation::result);
}

std::size_t recv_datagram_awaiter::await_resume() const {
    const leat::result<std::size_t> size = take();
    if (!size.ok()) [[unlikely]] {
        fail(size.error());
    }
    return *size;
}

leat::result<void> send_datagram_awaiter::take() const noexcept {
    return operation::result >= 0 ? leat::result<void>() : leat::result<void>(error());
}

void send_datagram_awaiter::await_resume() const {
    if (operation::result < 0) [[unlikely]] {
        throw std::system_error(error(), described("send", " to ", to_));
    }
}

leat::result<void> connect_datagrams_awaiter::take() noexcept {
    if (operation::result < 0) {
        return error();
    }
    socket().remote = peer_;
    return {};
}

void connect_datagrams_awaiter::await_resume() {
    if (const leat::result<void> done = take(); !done.ok()) {
        throw std::system_error(done.error(), "connect to " + peer_.to_string());
    }
}

udp_socket udp_socket::bind(const endpoint& at, udp_bind_options options) {
    const std::string what = "bind to " + at.to_string();
    udp_socket socket(*new detail::socket_state);
    const int fd = current_sockets().open(at.family(), SOCK_DGRAM, 0).value(what.c_str());
    socket.state().descriptor = fd;
    if (options.reuse_port) {
        set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, what.c_str());
    }
    if (options.reuse_address) {
        set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, what.c_str());
    }
    if (options.broadcast) {
        set_int_option(fd, SOL_SOCKET, SO_BROADCAST, 1, what.c_str());
    }
    if (at.is_ipv6()) {
        set_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.dual_stack ? 0 : 1, what.c_str());
    }
    if (options.coalesce) {
        const int on = 1;  // without it there is one datagram in each message
        (void)current_sockets().set_option(fd, SOL_UDP, UDP_GRO, std::as_bytes(std::span(&on, 1)));
        socket.state().coalesces = true;
    }
    detail::set_socket_options(fd, at.family(), options.socket, what);
    current_sockets().bind(fd, at.data(), at.size()).value(what.c_str());
    return socket;
}

udp_socket udp_socket::from_fd(int fd) {
    detail::require_kernel("from_fd");
    udp_socket socket(*new detail::socket_state);
    detail::take_over(fd, {"a datagram socket", SOCK_DGRAM, true, true, false});
    socket.state().descriptor = fd;
    socket.state().remote = detail::remote_endpoint_of(fd);
    socket.state().of_unix = detail::family_of(fd) == AF_UNIX;
    socket.state().coalesces = coalesces(fd);
    return socket;
}

endpoint udp_socket::local_endpoint() const {
    return detail::local_endpoint_of(native_handle());
}

void udp_socket::set_option(int level, int name, int value) {
    set_int_option(native_handle(), level, name, value);
}

}  // namespace leat
