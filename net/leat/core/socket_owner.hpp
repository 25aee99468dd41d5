// SPDX-License-Identifier: MIT
// socket_owner: the only owner of a socket's state, which closes the socket; the base of streams, listeners
// and udp_socket.
#pragma once

#include <leat/core/detachable.hpp>
#include <leat/core/socket.hpp>

#include <utility>

namespace leat::detail {

class socket_owner : public at_home_in_run {
protected:
    socket_owner() noexcept = default;
    // `made` has no other owner.
    explicit socket_owner(socket_state& made) noexcept : socket_(made) {}
    socket_owner(socket_owner&& other) noexcept = default;
    socket_owner& operator=(socket_owner&& other) noexcept {
        if (this != &other) {
            close_socket();
            socket_ = std::move(other.socket_);
        }
        return *this;
    }
    ~socket_owner() { close_socket(); }

    [[nodiscard]] bool has_descriptor() const noexcept { return socket_ && socket_->descriptor >= 0; }
    // `none` says what is wrong when there is no socket.
    [[nodiscard]] socket_state& state_or(const char* none) const noexcept {
        check(static_cast<bool>(socket_), none);
        return *socket_;
    }

private:
    void close_socket() noexcept {
        if (socket_) {
            socket_->close();
        }
    }

    reference<socket_state> socket_;
};

}  // namespace leat::detail
