// SPDX-License-Identifier: MIT
#include <leat/core/unix_opening.hpp>

#include <leat/core/unix_message_socket.hpp>
#include <leat/fd.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <span>
#include <string>

#include <sys/stat.h>

namespace leat::detail {

namespace {

using name_call = result<socklen_t> (socket_calls::*)(int, sockaddr_storage&);

unix_endpoint name_of(int fd, name_call ask, const char* what) {
    sockaddr_storage storage{};
    const socklen_t size = (current_sockets().*ask)(fd, storage).value(what);
    return unix_endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

task<result<void>> connect_when_there_is_room(socket_state& socket, const unix_endpoint& peer) {
    for (duration pause = first_pause;; pause = next_pause(pause)) {
        connect_awaiter connecting(socket, peer.data(), peer.size());
        const result<void> connected = co_await connecting;
        if (connected.error() != std::errc::resource_unavailable_try_again) {
            co_return connected;
        }
        co_await sleep(pause);
    }
}

// Removes the socket of `type` at `at` if nobody has it.
bool remove_stale(const unix_endpoint& at, int type) {
    const std::string path(at.name());
    struct stat found{};
    const fd probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return probe && ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) &&
           ::connect(probe.get(), at.data(), at.size()) != 0 && errno == ECONNREFUSED &&
           ::unlink(path.c_str()) == 0;
}

}  // namespace

unix_endpoint local_unix_endpoint_of(int fd) {
    return name_of(fd, &socket_calls::local_address, "local_endpoint");
}

unix_endpoint remote_unix_endpoint_of(int fd) {
    return name_of(fd, &socket_calls::remote_address, "remote_endpoint");
}

unix_credentials credentials_of(int fd) {
    ucred told{};
    current_sockets()
        .option(fd, SOL_SOCKET, SO_PEERCRED, std::as_writable_bytes(std::span(&told, 1)))
        .value("peer_credentials");
    return {.process = told.pid, .user = told.uid, .group = told.gid};
}

task<> connect_to_listener(socket_state& socket, int type, unix_endpoint peer, duration limit) {
    socket.descriptor = current_sockets().open(AF_UNIX, type, 0).value("socket");
    const auto ended = co_await move_on_after(limit, connect_when_there_is_room(socket, peer));
    const result<void> connected = ended.has_value() ? *ended : std::make_error_code(std::errc::timed_out);
    if (!connected.ok()) {
        throw std::system_error(connected.error(), "connect to " + peer.to_string());
    }
}

void open_pair(int type, socket_state& one, socket_state& other) {
    require_kernel("a pair of sockets");
    int both[2];
    if (::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) {
        throw std::system_error(errno_code(errno), "socketpair");
    }
    one.descriptor = both[0];
    other.descriptor = both[1];
}

socket_file bind_at(int fd, int type, const unix_endpoint& at, bool replace_stale, const char* what) {
    const bool makes_file = at.is_path() && !in_simulation();
    std::string path(makes_file ? at.name() : std::string_view());  // before there is a file
    result<void> bound = current_sockets().bind(fd, at.data(), at.size());
    if (makes_file && replace_stale && bound.error() == std::errc::address_in_use && remove_stale(at, type)) {
        bound = current_sockets().bind(fd, at.data(), at.size());
    }
    bound.value(what);
    return makes_file ? socket_file(std::move(path)) : socket_file();
}

socket_file::socket_file(std::string path) : path_(std::move(path)), process_(::getpid()) {
    struct stat made{};
    if (::lstat(path_.c_str(), &made) == 0) {
        device_ = made.st_dev;
        number_ = made.st_ino;
    }
}

void socket_file::remove() noexcept {
    const std::string path = std::exchange(path_, {});
    struct stat found{};
    if (!path.empty() && process_ == ::getpid() && ::lstat(path.c_str(), &found) == 0 &&
        found.st_dev == device_ && found.st_ino == number_) {
        ::unlink(path.c_str());
    }
}

unix_endpoint socket_listener_at_path::local_endpoint() const {
    return local_unix_endpoint_of(state().descriptor);
}

void socket_listener_at_path::listen_at(const unix_endpoint& at, int type, int backlog, bool replace_stale) {
    const std::string what = "listen on " + at.to_string();
    const int fd = current_sockets().open(AF_UNIX, type, 0).value(what.c_str());
    state().descriptor = fd;
    file_ = bind_at(fd, type, at, replace_stale, what.c_str());
    current_sockets().listen(fd, backlog).value(what.c_str());
}

void socket_listener_at_path::take(int fd, int type, const char* what) {
    require_kernel("from_fd");
    take_over(fd, {what, type, false, true, true});
    state().descriptor = fd;
}

unix_endpoint unix_message_socket::local_endpoint() const {
    return local_unix_endpoint_of(native_handle());
}

unix_endpoint unix_message_socket::remote_endpoint() const {
    return remote_unix_endpoint_of(native_handle());
}

unix_credentials unix_message_socket::peer_credentials() const {
    return credentials_of(native_handle());
}

void unix_message_socket::set_option(int level, int name, int value) {
    set_int_option(native_handle(), level, name, value);
}

}  // namespace leat::detail
