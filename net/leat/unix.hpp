// SPDX-License-Identifier: MIT
// unix_listener and unix_stream: connections between programs of one machine, over sockets of the Unix
// domain. They behave as those of TCP (tcp.hpp) unless this header says otherwise. Both own their socket.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/socket_stream.hpp>
#include <leat/task.hpp>
#include <leat/unix_endpoint.hpp>

#include <chrono>
#include <string>
#include <utility>

#include <sys/types.h>

namespace leat {

struct unix_connect_options {
    duration timeout = std::chrono::seconds(60);
};

// The process at the other end, as it was when it connected or listened.
struct unix_credentials {
    pid_t process = 0;
    uid_t user = 0;
    gid_t group = 0;
};

// One connection. Its other operations are in socket_stream.hpp.
class unix_stream : public detail::socket_stream {
public:
    // Connects to the listener at `peer`, and waits while its queue is full. Throws std::system_error naming
    // it. Cancelled: the socket is closed.
    [[nodiscard]] static task<unix_stream> connect(unix_endpoint peer, unix_connect_options options = {});
    // Takes over a connected socket, and makes it non-blocking. Throws std::system_error for what is not a
    // stream of the Unix domain, or listens; then the descriptor is still the caller's. Not in a simulation.
    [[nodiscard]] static unix_stream from_fd(int fd);
    // Two connected streams (socketpair(2)). Throws std::system_error; not in a simulation.
    [[nodiscard]] static std::pair<unix_stream, unix_stream> pair();

    unix_stream() noexcept = default;

    // Both throw std::system_error.
    [[nodiscard]] unix_endpoint local_endpoint() const;
    [[nodiscard]] unix_endpoint remote_endpoint() const;
    // SO_PEERCRED. Throws std::system_error; in a simulation with std::errc::no_protocol_option.
    [[nodiscard]] unix_credentials peer_credentials() const;

private:
    friend class unix_listener;
    explicit unix_stream(detail::socket_state& made) noexcept : socket_stream(made) {
        state().stops_short = true;
    }
};

struct unix_listen_options {
    int backlog = SOMAXCONN;  // connections that wait to be accepted; the kernel has its own limit
    // Replaces a socket at the path that no process listens on, such as one left by a killed process. Without
    // this the path is in use, as with any other file. To find that out, bind() connects to the socket. If
    // two processes do so at the same time, one may lose its path.
    bool replace_stale = false;
};

namespace detail {

// The file that binding a socket has made. It is removed with its owner, unless another one is there by then,
// or this is a forked copy of the owner.
class socket_file {
public:
    socket_file() noexcept = default;  // there is none
    explicit socket_file(std::string path);
    socket_file(socket_file&& other) noexcept
        : path_(std::exchange(other.path_, {})),
          device_(other.device_),
          number_(other.number_),
          process_(other.process_) {}
    socket_file& operator=(socket_file&& other) noexcept {
        if (this != &other) {
            remove();
            path_ = std::exchange(other.path_, {});
            device_ = other.device_;
            number_ = other.number_;
            process_ = other.process_;
        }
        return *this;
    }
    ~socket_file() { remove(); }

    void remove() noexcept;

private:
    std::string path_;
    dev_t device_ = 0;
    ino_t number_ = 0;
    pid_t process_ = 0;
};

}  // namespace detail

// A socket that accepts connections. The file at its path is removed when it is closed or ends.
class unix_listener : public detail::socket_listener {
public:
    // Binds and listens. Throws std::system_error naming the endpoint; std::errc::address_in_use also for a
    // path where something else is. Outside of a run, too, as that of tcp_listener.
    [[nodiscard]] static unix_listener bind(const unix_endpoint& at, unix_listen_options options = {});
    // Takes over a listening socket, and makes it non-blocking; its file is left alone. Throws
    // std::system_error for any other descriptor; then it is still the caller's. Not in a simulation.
    [[nodiscard]] static unix_listener from_fd(int fd);

    // Waits for the next connection; throws as that of tcp_listener. Cancelled: no connection was taken.
    [[nodiscard]] task<unix_stream> accept();

    // A pending accept ends with operation_canceled; connections in the queue are reset. What it was bound to
    // is free when this returns.
    void close() noexcept {
        file_.remove();
        socket_listener::close();
    }
    // Throws std::system_error.
    [[nodiscard]] unix_endpoint local_endpoint() const;

private:
    unix_listener() = default;

    detail::socket_file file_;  // goes before the socket
};

}  // namespace leat
