// SPDX-License-Identifier: MIT
// socket_name: an address and a port in the simulated network. IPv4 addresses are held as mapped ones
// (::ffff:127.0.0.1), so sockets of both families compare; a family decides how a name is shown.
#pragma once

#include <leat/result.hpp>

#include <array>
#include <compare>
#include <cstdint>

#include <sys/socket.h>

namespace leat {

struct socket_name {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;

    // What a socket of `family` was given. Errors as of the kernel: EINVAL, EAFNOSUPPORT.
    [[nodiscard]] static result<socket_name> read(const sockaddr* from, socklen_t size, int family);
    // As sockaddr_in or sockaddr_in6; returns its size.
    socklen_t write(sockaddr_storage& into, int family) const noexcept;

    [[nodiscard]] static socket_name any(int family) noexcept;
    [[nodiscard]] bool is_ipv4() const noexcept;
    // 0.0.0.0 or ::
    [[nodiscard]] bool is_any() const noexcept;
    // Of the one host that there is: 127.0.0.0/8 or ::1.
    [[nodiscard]] bool is_local() const noexcept;
    // The same port at 127.0.0.1 or ::1.
    [[nodiscard]] socket_name at_loopback() const noexcept;

    friend bool operator==(const socket_name&, const socket_name&) noexcept = default;
};

}  // namespace leat
