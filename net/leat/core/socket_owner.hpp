// SPDX-License-Identifier: MIT
// socket_owner: the one owner of a socket's state, which closes it; streams, listeners and udp_socket are
// these.
#pragma once

#include <leat/core/detachable.hpp>
#include <leat/core/socket.hpp>

#include <utility>

namespace leat::detail {

class socket_owner : public at_home_in_run {
protected:
    socket_owner() noexcept = default;
    // `made` has no other owner.
    explicit socket_owner(socket_state& made) noexcept : socket_(&made) {}
    socket_owner(socket_owner&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    socket_owner& operator=(socket_owner&& other) noexcept {
        if (this != &other) {
            drop();
            socket_ = std::exchange(other.socket_, nullptr);
        }
        return *this;
    }
    ~socket_owner() { drop(); }

    [[nodiscard]] bool has_descriptor() const noexcept {
        return socket_ != nullptr && socket_->descriptor >= 0;
    }
    // `none` says what is wrong when there is no socket.
    [[nodiscard]] socket_state& state_or(const char* none) const noexcept {
        check(socket_ != nullptr, none);
        return *socket_;
    }

private:
    void drop() noexcept {
        if (socket_state* const socket = std::exchange(socket_, nullptr)) {
            socket->close();
            socket->drop_reference();
        }
    }

    socket_state* socket_ = nullptr;
};

}  // namespace leat::detail
