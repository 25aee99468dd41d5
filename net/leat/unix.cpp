// SPDX-License-Identifier: MIT
#include <leat/unix.hpp>

#include <leat/core/socket_opening.hpp>
#include <leat/fd.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <memory>
#include <span>

#include <sys/stat.h>

namespace leat {

namespace {

using detail::current_sockets;

using name_call = result<socklen_t> (socket_calls::*)(int, sockaddr_storage&);

unix_endpoint name_of(int fd, name_call ask, const char* what) {
    sockaddr_storage storage{};
    const socklen_t size = (current_sockets().*ask)(fd, storage).value(what);
    return unix_endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

// A full queue makes a socket that does not block fail at once, and nothing tells when there is room.
constexpr duration first_pause = std::chrono::milliseconds(1);
constexpr duration longest_pause = std::chrono::milliseconds(100);

task<result<void>> connect_when_there_is_room(detail::socket_state& socket, const unix_endpoint& peer) {
    for (duration pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
        detail::connect_awaiter connecting(socket, peer.data(), peer.size());
        const result<void> connected = co_await connecting;
        if (connected.error() != std::errc::resource_unavailable_try_again) {
            co_return connected;
        }
        co_await sleep(pause);
    }
}

// Removes the socket at `at` if nobody listens there.
bool remove_stale(const unix_endpoint& at) {
    const std::string path(at.name());
    struct stat found{};
    const fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return probe && ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) &&
           ::connect(probe.get(), at.data(), at.size()) != 0 && errno == ECONNREFUSED &&
           ::unlink(path.c_str()) == 0;
}

}  // namespace

task<unix_stream> unix_stream::connect(unix_endpoint peer, unix_connect_options options) {
    unix_stream stream(*new detail::named_socket_state(peer.to_string()));
    stream.state().descriptor = current_sockets().open(AF_UNIX, SOCK_STREAM, 0).value("socket");
    const auto ended =
        co_await move_on_after(options.timeout, connect_when_there_is_room(stream.state(), peer));
    const result<void> connected = ended.has_value() ? *ended : std::make_error_code(std::errc::timed_out);
    if (!connected.ok()) {
        throw std::system_error(connected.error(), "connect to " + peer.to_string());
    }
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
    detail::require_kernel("a pair of sockets");
    unix_stream one(*new detail::socket_state);
    unix_stream other(*new detail::socket_state);
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) {
        throw std::system_error(errno_code(errno), "socketpair");
    }
    one.state().descriptor = both[0];
    other.state().descriptor = both[1];
    return {std::move(one), std::move(other)};
}

unix_endpoint unix_stream::local_endpoint() const {
    return name_of(state().descriptor, &socket_calls::local_address, "local_endpoint");
}

unix_endpoint unix_stream::remote_endpoint() const {
    return name_of(state().descriptor, &socket_calls::remote_address, "remote_endpoint");
}

unix_credentials unix_stream::peer_credentials() const {
    ucred told{};
    current_sockets()
        .option(state().descriptor, SOL_SOCKET, SO_PEERCRED, std::as_writable_bytes(std::span(&told, 1)))
        .value("peer_credentials");
    return {.process = told.pid, .user = told.uid, .group = told.gid};
}

detail::socket_file::socket_file(std::string path) : path_(std::move(path)), process_(::getpid()) {
    struct stat made{};
    if (::lstat(path_.c_str(), &made) == 0) {
        device_ = made.st_dev;
        number_ = made.st_ino;
    }
}

void detail::socket_file::remove() noexcept {
    const std::string path = std::exchange(path_, {});
    struct stat found{};
    if (!path.empty() && process_ == ::getpid() && ::lstat(path.c_str(), &found) == 0 &&
        found.st_dev == device_ && found.st_ino == number_) {
        ::unlink(path.c_str());
    }
}

unix_listener unix_listener::bind(const unix_endpoint& at, unix_listen_options options) {
    const std::string what = "listen on " + at.to_string();
    unix_listener listener;
    const int fd = current_sockets().open(AF_UNIX, SOCK_STREAM, 0).value(what.c_str());
    listener.state().descriptor = fd;
    const bool makes_file = at.is_path() && !detail::in_simulation();
    std::string path(makes_file ? at.name() : std::string_view());  // before there is a file
    result<void> bound = current_sockets().bind(fd, at.data(), at.size());
    if (makes_file && options.replace_stale && bound.error() == std::errc::address_in_use &&
        remove_stale(at)) {
        bound = current_sockets().bind(fd, at.data(), at.size());
    }
    bound.value(what.c_str());
    if (makes_file) {
        listener.file_ = detail::socket_file(std::move(path));
    }
    current_sockets().listen(fd, options.backlog).value(what.c_str());
    return listener;
}

unix_listener unix_listener::from_fd(int fd) {
    detail::require_kernel("from_fd");
    unix_listener listener;
    detail::take_over(fd, {"a listening socket of the Unix domain", SOCK_STREAM, false, true, true});
    listener.state().descriptor = fd;
    return listener;
}

task<unix_stream> unix_listener::accept() {
    unix_stream stream(*new detail::socket_state);
    for (;;) {
        detail::accept_awaiter next(state(), nullptr, 0);
        const result<int> fd = co_await next;
        if (fd.ok()) {
            stream.state().descriptor = *fd;
            co_return stream;
        }
        if (!detail::is_connection_error(fd.error())) {
            throw std::system_error(fd.error(), "accept");
        }
    }
}

unix_endpoint unix_listener::local_endpoint() const {
    return name_of(state().descriptor, &socket_calls::local_address, "local_endpoint");
}

}  // namespace leat
