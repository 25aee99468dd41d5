// SPDX-License-Identifier: MIT
// socket_name: where a socket of the simulated network is: an address and a port, or a path of the Unix
// family. IPv4 addresses are held as mapped ones (::ffff:127.0.0.1), so sockets of both families compare; a
// family decides how a name is shown.
#pragma once

#include <leat/result.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace leat {

struct socket_name {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;
    std::string path;  // of the Unix family, abstract ones with their leading zero; empty for others

    // "10.0.0.1" or "fd00::1", without a port; empty for anything else.
    [[nodiscard]] static std::optional<socket_name> parse(const std::string& text);
    // What a socket of `family` was given. Errors as of the kernel: EINVAL, EAFNOSUPPORT.
    [[nodiscard]] static result<socket_name> read(const sockaddr* from, socklen_t size, int family);
    // As sockaddr_in, sockaddr_in6 or sockaddr_un; returns its size.
    socklen_t write(sockaddr_storage& into, int family) const noexcept;

    [[nodiscard]] static socket_name any(int family) noexcept;
    [[nodiscard]] bool is_ipv4() const noexcept;
    // 0.0.0.0 or ::
    [[nodiscard]] bool is_any() const noexcept;
    // 127.0.0.0/8 or ::1, where each host is for itself.
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_path() const noexcept { return !path.empty(); }
    // The same port at 127.0.0.1 or ::1.
    [[nodiscard]] socket_name at_loopback() const;

    friend bool operator==(const socket_name&, const socket_name&) noexcept = default;
};

}  // namespace leat
