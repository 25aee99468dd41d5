// SPDX-License-Identifier: MIT
#include <leat/unix_seqpacket.hpp>

#include <leat/core/unix_opening.hpp>

namespace leat {

namespace {

constexpr const char* seqpacket_socket = "a seqpacket socket of the Unix domain";

}  // namespace

task<unix_seqpacket> unix_seqpacket::connect(unix_endpoint peer, unix_connect_options options) {
    detail::require_kernel(seqpacket_socket);
    unix_seqpacket made(*new detail::named_socket_state(peer.to_string()));
    co_await detail::connect_to_listener(made.state(), SOCK_SEQPACKET, peer, options.timeout);
    co_return made;
}

unix_seqpacket unix_seqpacket::from_fd(int fd) {
    detail::require_kernel(seqpacket_socket);
    unix_seqpacket made(*new detail::socket_state);
    detail::take_over(fd, {"a connected seqpacket socket", SOCK_SEQPACKET, false, true, false});
    made.state().descriptor = fd;
    return made;
}

std::pair<unix_seqpacket, unix_seqpacket> unix_seqpacket::pair() {
    unix_seqpacket one(*new detail::socket_state);
    unix_seqpacket other(*new detail::socket_state);
    detail::open_pair(SOCK_SEQPACKET, one.state(), other.state());
    return {std::move(one), std::move(other)};
}

void unix_seqpacket::shutdown_send() {
    detail::shutdown_send(state());
}

unix_seqpacket_listener unix_seqpacket_listener::bind(const unix_endpoint& at, unix_listen_options options) {
    detail::require_kernel(seqpacket_socket);
    unix_seqpacket_listener listener;
    listener.listen_at(at, SOCK_SEQPACKET, options.backlog, options.replace_stale);
    return listener;
}

unix_seqpacket_listener unix_seqpacket_listener::from_fd(int fd) {
    unix_seqpacket_listener listener;
    listener.take(fd, SOCK_SEQPACKET, "a listening seqpacket socket");
    return listener;
}

task<unix_seqpacket> unix_seqpacket_listener::accept() {
    return accept_into(unix_seqpacket(*new detail::socket_state));
}

}  // namespace leat
