// SPDX-License-Identifier: MIT
// socket_file and socket_listener_at_path: what sockets of the Unix domain leave in the file system, and the
// base of their listeners. Used by unix.hpp, unix_datagram.hpp and unix_seqpacket.hpp.
// Invariant: a file that binding has made is removed with its socket.
#pragma once

#include <leat/core/socket_stream.hpp>
#include <leat/task.hpp>
#include <leat/unix_endpoint.hpp>

#include <string>
#include <utility>

#include <sys/types.h>

namespace leat::detail {

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

// The base of the listeners of the Unix domain. The file at its path is removed when it is closed or ends.
class socket_listener_at_path : public socket_listener {
public:
    // A pending accept ends with operation_canceled; connections in the queue are reset. What it was bound to
    // is free when this returns.
    void close() noexcept {
        file_.remove();
        socket_listener::close();
    }
    // Throws std::system_error.
    [[nodiscard]] unix_endpoint local_endpoint() const;

protected:
    socket_listener_at_path() = default;

    // Binds and listens, with a socket of `type`. Throws std::system_error naming `at`.
    void listen_at(const unix_endpoint& at, int type, int backlog, bool replace_stale);
    // Takes `fd` over, if it is `what` an error says that it shall be.
    void take(int fd, int type, const char* what);
    // Accepts into `made`, which has no descriptor yet.
    template <typename Connection>
    task<Connection> accept_into(Connection made);

private:
    socket_file file_;  // goes before the socket
};

}  // namespace leat::detail
