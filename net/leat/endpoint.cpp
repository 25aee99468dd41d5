// SPDX-License-Identifier: MIT
#include <leat/endpoint.hpp>

#include <leat/core/number.hpp>

#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>

namespace leat {
namespace {

std::uint16_t checked_port(std::int64_t port) {
    if (!std::in_range<std::uint16_t>(port)) {
        throw std::invalid_argument("port " + std::to_string(port) + " is not between 0 and 65535");
    }
    return static_cast<std::uint16_t>(port);
}

bool in_brackets(std::string_view text) noexcept {
    return text.size() > 2 && text.front() == '[' && text.back() == ']';
}

address checked_address(std::string_view host) {
    const std::string_view bare = in_brackets(host) ? host.substr(1, host.size() - 2) : host;
    const auto parsed = address::try_parse(bare);
    if (!parsed || (bare.size() != host.size() && parsed->is_ipv4())) {
        throw std::invalid_argument("\"" + std::string(host) +
                                    "\" is not an IPv4 or IPv6 address (resolve host names first)");
    }
    return *parsed;
}

}  // namespace

endpoint::endpoint(std::string_view host, std::int64_t port) {
    assign(checked_address(host), checked_port(port));
}

endpoint::endpoint(const leat::address& host, std::int64_t port) {
    assign(host, checked_port(port));
}

void endpoint::assign(const leat::address& host, std::uint16_t port) noexcept {
    std::memset(&storage_, 0, sizeof storage_);
    if (host.is_ipv4()) {
        storage_.ipv4.sin_family = AF_INET;
        storage_.ipv4.sin_port = htons(port);
        std::memcpy(&storage_.ipv4.sin_addr, host.bytes().data(), sizeof storage_.ipv4.sin_addr);
    } else {
        storage_.ipv6.sin6_family = AF_INET6;
        storage_.ipv6.sin6_port = htons(port);
        storage_.ipv6.sin6_scope_id = host.scope_id();
        std::memcpy(&storage_.ipv6.sin6_addr, host.bytes().data(), sizeof storage_.ipv6.sin6_addr);
    }
}

result<endpoint> endpoint::try_parse(std::string_view text) {
    const auto invalid = std::make_error_code(std::errc::invalid_argument);
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) {
        return invalid;
    }
    std::string_view host = text.substr(0, colon);
    const bool brackets = in_brackets(host);
    if (brackets) {
        host = host.substr(1, host.size() - 2);
    }
    const auto parsed = leat::address::try_parse(host);
    // Only brackets tell the port from the last group of an IPv6 address.
    if (!parsed || parsed->is_ipv6() != brackets) {
        return invalid;
    }
    const auto port = leat::detail::parse_number<std::uint16_t>(text.substr(colon + 1));
    return port ? result<endpoint>(endpoint(*parsed, *port)) : invalid;
}

endpoint endpoint::parse(std::string_view text) {
    const auto parsed = try_parse(text);
    if (!parsed) {
        throw std::invalid_argument("\"" + std::string(text) +
                                    "\" is not ADDRESS:PORT, as in 127.0.0.1:8001 or [::1]:8001");
    }
    return *parsed;
}

endpoint endpoint::from_sockaddr(const sockaddr* name, socklen_t size) {
    endpoint made;
    if (name != nullptr && size >= sizeof(sockaddr_in) && name->sa_family == AF_INET) {
        std::memcpy(&made.storage_.ipv4, name, sizeof(sockaddr_in));
        return made;
    }
    if (name != nullptr && size >= sizeof(sockaddr_in6) && name->sa_family == AF_INET6) {
        std::memcpy(&made.storage_.ipv6, name, sizeof(sockaddr_in6));
        return made;
    }
    throw std::system_error(std::make_error_code(std::errc::address_family_not_supported),
                            "a socket name that is not an IP address");
}

leat::address endpoint::address() const noexcept {
    if (is_ipv4()) {
        leat::address::ipv4_bytes bytes;
        std::memcpy(bytes.data(), &storage_.ipv4.sin_addr, bytes.size());
        return leat::address(bytes);
    }
    leat::address::ipv6_bytes bytes;
    std::memcpy(bytes.data(), &storage_.ipv6.sin6_addr, bytes.size());
    return leat::address(bytes, storage_.ipv6.sin6_scope_id);
}

std::uint16_t endpoint::port() const noexcept {
    return ntohs(is_ipv4() ? storage_.ipv4.sin_port : storage_.ipv6.sin6_port);
}

std::string endpoint::to_string() const {
    const std::string host = address().to_string();
    return (is_ipv4() ? host : "[" + host + "]") + ":" + std::to_string(port());
}

}  // namespace leat

std::size_t std::hash<leat::endpoint>::operator()(const leat::endpoint& value) const noexcept {
    const std::uint64_t host = std::hash<leat::address>()(value.address());
    const std::uint64_t mixed = (host ^ value.port()) * 0x9e3779b97f4a7c15U;
    return mixed ^ (mixed >> 32);
}
