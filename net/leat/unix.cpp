// SPDX-License-Identifier: MIT
#include <leat/unix.hpp>

#include <leat/core/unix_opening.hpp>

namespace leat {

task<unix_stream> unix_stream::connect(unix_endpoint peer, unix_connect_options options) {
    unix_stream stream(*new detail::named_socket_state(peer.to_string()));
    co_await detail::connect_to_listener(stream.state(), SOCK_STREAM, peer, options.timeout);
    co_return stream;
}

unix_stream unix_stream::from_fd(int fd) {
    detail::require_kernel("from_fd");
    unix_stream stream(*new detail::socket_state);
    detail::take_over(fd, {"a connected stream socket of the Unix domain", SOCK_STREAM, false, true, false});
    stream.state().descriptor = fd;
    return stream;
}

std::pair<unix_stream, unix_stream> unix_stream::pair() {
    unix_stream one(*new detail::socket_state);
    unix_stream other(*new detail::socket_state);
    detail::open_pair(SOCK_STREAM, one.state(), other.state());
    return {std::move(one), std::move(other)};
}

unix_endpoint unix_stream::local_endpoint() const {
    return detail::local_unix_endpoint_of(state().descriptor);
}

unix_endpoint unix_stream::remote_endpoint() const {
    return detail::remote_unix_endpoint_of(state().descriptor);
}

unix_credentials unix_stream::peer_credentials() const {
    return detail::credentials_of(state().descriptor);
}

unix_listener unix_listener::bind(const unix_endpoint& at, unix_listen_options options) {
    unix_listener listener;
    listener.listen_at(at, SOCK_STREAM, options.backlog, options.replace_stale);
    return listener;
}

unix_listener unix_listener::from_fd(int fd) {
    unix_listener listener;
    listener.take(fd, SOCK_STREAM, "a listening socket of the Unix domain");
    return listener;
}

task<unix_stream> unix_listener::accept() {
    return accept_into(unix_stream(*new detail::socket_state));
}

}  // namespace leat
