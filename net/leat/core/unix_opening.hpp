// SPDX-License-Identifier: MIT
// Opens sockets of the Unix domain: the common part of unix.cpp, unix_datagram.cpp and unix_seqpacket.cpp.
#pragma once

#include <leat/core/backend.hpp>
#include <leat/core/socket_at_path.hpp>
#include <leat/core/socket_opening.hpp>
#include <leat/task.hpp>
#include <leat/unix_endpoint.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace leat::detail {

// A full queue makes a socket that does not block fail at once, and nothing tells when there is room: it is
// asked again after a pause, and then after longer ones.
inline constexpr duration first_pause = std::chrono::milliseconds(1);
[[nodiscard]] constexpr duration next_pause(duration pause) noexcept {
    return std::min<duration>(2 * pause, std::chrono::milliseconds(100));
}

// Their names. Both throw std::system_error.
[[nodiscard]] unix_endpoint local_unix_endpoint_of(int fd);
[[nodiscard]] unix_endpoint remote_unix_endpoint_of(int fd);
// SO_PEERCRED. Throws std::system_error.
[[nodiscard]] unix_credentials credentials_of(int fd);

// Opens a socket of `type` and connects it to a listener; waits while the queue of that is full. Throws
// std::system_error naming `peer`. The state outlives it.
[[nodiscard]] task<> connect_to_listener(socket_state& socket, int type, unix_endpoint peer, duration limit);
// Two connected sockets of `type`, owned by `one` and `other` from then on. Throws std::system_error; not in
// a simulation.
void open_pair(int type, socket_state& one, socket_state& other);
// Binds the open socket `fd` of `type`. Returns the file that it has made, if it has. Throws
// std::system_error with `what`.
[[nodiscard]] socket_file bind_at(int fd, int type, const unix_endpoint& at, bool replace_stale,
                                  const char* what);

template <typename Connection>
task<Connection> socket_listener_at_path::accept_into(Connection made) {
    for (;;) {
        accept_awaiter next(state(), nullptr, 0);
        const result<int> fd = co_await next;
        if (fd.ok()) {
            made.state().descriptor = *fd;
            co_return made;
        }
        if (!is_connection_error(fd.error())) {
            throw std::system_error(fd.error(), "accept");
        }
    }
}

}  // namespace leat::detail
