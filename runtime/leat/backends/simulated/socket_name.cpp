// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/socket_name.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace leat {

namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

socket_name ipv4(std::array<std::uint8_t, 4> bytes, std::uint16_t port) noexcept {
    socket_name made;
    std::copy(mapped.begin(), mapped.end(), made.ip.begin());
    std::copy(bytes.begin(), bytes.end(), made.ip.begin() + 12);
    made.port = port;
    return made;
}

// A name in the file system ends with its first zero, an abstract one begins with it.
result<socket_name> read_path(const sockaddr* from, socklen_t size) {
    constexpr std::size_t begin = offsetof(sockaddr_un, sun_path);
    if (size > sizeof(sockaddr_un)) {
        return errno_code(EINVAL);
    }
    socket_name made;
    made.path.assign(reinterpret_cast<const char*>(from) + begin, size - std::min<std::size_t>(size, begin));
    if (!made.path.empty() && made.path.front() != '\0') {
        made.path.resize(std::min(made.path.size(), made.path.find('\0')));
    }
    return made;
}

socklen_t write_path(sockaddr_storage& into, const std::string& path) noexcept {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof name.sun_path));
    std::memcpy(&into, &name, sizeof name);
    const bool ends_with_zero = !path.empty() && path.front() != '\0';
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (ends_with_zero ? 1 : 0));
}

}  // namespace

std::optional<socket_name> socket_name::parse(const std::string& text) {
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) {
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &four, bytes.size());
        return ipv4(bytes, 0);
    }
    socket_name made;
    if (::inet_pton(AF_INET6, text.c_str(), made.ip.data()) == 1) {
        return made;
    }
    return std::nullopt;
}

result<socket_name> socket_name::read(const sockaddr* from, socklen_t size, int family) {
    if (from == nullptr || size < sizeof(sa_family_t)) {
        return errno_code(EINVAL);
    }
    if (from->sa_family != family) {
        return errno_code(EAFNOSUPPORT);
    }
    if (family == AF_UNIX) {
        return read_path(from, size);
    }
    if (family == AF_INET) {
        sockaddr_in name{};
        if (size < sizeof name) {
            return errno_code(EINVAL);
        }
        std::memcpy(&name, from, sizeof name);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &name.sin_addr, bytes.size());
        return ipv4(bytes, ntohs(name.sin_port));
    }
    sockaddr_in6 name{};
    if (size < sizeof name) {
        return errno_code(EINVAL);
    }
    std::memcpy(&name, from, sizeof name);
    socket_name made;
    std::memcpy(made.ip.data(), &name.sin6_addr, made.ip.size());
    made.port = ntohs(name.sin6_port);
    return made;
}

socklen_t socket_name::write(sockaddr_storage& into, int family) const noexcept {
    into = {};
    if (family == AF_UNIX) {
        return write_path(into, path);
    }
    if (family == AF_INET) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        std::memcpy(&name.sin_addr, ip.data() + 12, 4);
        std::memcpy(&into, &name, sizeof name);
        return sizeof name;
    }
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(port);
    std::memcpy(&name.sin6_addr, ip.data(), ip.size());
    std::memcpy(&into, &name, sizeof name);
    return sizeof name;
}

socket_name socket_name::any(int family) noexcept {
    return family == AF_INET ? ipv4({0, 0, 0, 0}, 0) : socket_name();
}

bool socket_name::is_ipv4() const noexcept {
    return std::equal(mapped.begin(), mapped.end(), ip.begin());
}

bool socket_name::is_any() const noexcept {
    return ip == any(is_ipv4() ? AF_INET : AF_INET6).ip;
}

bool socket_name::is_loopback() const noexcept {
    constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return is_ipv4() ? ip[12] == 127 : ip == one;
}

socket_name socket_name::at_loopback() const {
    if (is_ipv4()) {
        return ipv4({127, 0, 0, 1}, port);
    }
    socket_name made;
    made.ip[15] = 1;
    made.port = port;
    return made;
}

}  // namespace leat
