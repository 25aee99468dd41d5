// SPDX-License-Identifier: MIT
// endpoint: where a socket is, an IP address and a port. It holds the sockaddr the kernel wants (28
// bytes), so binding and connecting copy nothing. Everything in net/ that takes or reports a peer uses it.
#pragma once

#include <leat/address.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace leat {

class endpoint {
public:
    // 0.0.0.0:0
    endpoint() noexcept { assign(leat::address(), 0); }

    // Both throw std::invalid_argument naming the value: a host name where an address is due (resolve it
    // first), or a port outside 0 to 65535. `host` may be an IPv6 literal in brackets.
    endpoint(std::string_view host, std::int64_t port);
    endpoint(const leat::address& host, std::int64_t port);

    // "127.0.0.1:8001", "[::1]:80", "[fe80::1%eth0]:80". Throws std::invalid_argument naming `text`.
    [[nodiscard]] static endpoint parse(std::string_view text);
    // The same, or std::errc::invalid_argument.
    [[nodiscard]] static result<endpoint> try_parse(std::string_view text);

    // What accept(2), getsockname(2) and the like fill in. Throws std::system_error with
    // address_family_not_supported for anything but a whole AF_INET or AF_INET6 address.
    [[nodiscard]] static endpoint from_sockaddr(const sockaddr* name, socklen_t size);

    [[nodiscard]] leat::address address() const noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] bool is_ipv4() const noexcept { return storage_.any.sa_family == AF_INET; }
    [[nodiscard]] bool is_ipv6() const noexcept { return storage_.any.sa_family == AF_INET6; }
    // AF_INET or AF_INET6: what socket(2) is asked for.
    [[nodiscard]] int family() const noexcept { return storage_.any.sa_family; }

    // For bind(2), connect(2) and sendto(2).
    [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.any; }
    [[nodiscard]] socklen_t size() const noexcept {
        return is_ipv4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    }

    // "127.0.0.1:8001", "[::1]:8001", "[fe80::1%2]:80": parse() reads it back.
    [[nodiscard]] std::string to_string() const;

    // By address, then by port.
    friend std::strong_ordering operator<=>(const endpoint& a, const endpoint& b) noexcept {
        const auto order = a.address() <=> b.address();
        return order != 0 ? order : a.port() <=> b.port();
    }
    friend bool operator==(const endpoint& a, const endpoint& b) noexcept { return (a <=> b) == 0; }

private:
    void assign(const leat::address& host, std::uint16_t port) noexcept;

    union {
        sockaddr any;
        sockaddr_in ipv4;
        sockaddr_in6 ipv6;
    } storage_;
};

}  // namespace leat

template <>
struct std::hash<leat::endpoint> {
    std::size_t operator()(const leat::endpoint& value) const noexcept;
};
