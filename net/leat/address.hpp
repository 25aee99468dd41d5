// SPDX-License-Identifier: MIT
// address: an IPv4 or IPv6 address, the latter with its scope id. A value of 24 bytes that never
// allocates; text is parsed strictly (inet_pton: no "127.1", no "010.0.0.1", no host names).
// Invariant: two addresses are equal exactly when family, bytes and scope id are.
#pragma once

#include <leat/result.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace leat {

class address {
public:
    enum class family : std::uint8_t { ipv4, ipv6 };
    using ipv4_bytes = std::array<std::uint8_t, 4>;  // in network order, as written: {127, 0, 0, 1}
    using ipv6_bytes = std::array<std::uint8_t, 16>;

    // 0.0.0.0
    constexpr address() noexcept = default;
    constexpr explicit address(ipv4_bytes bytes) noexcept {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            bytes_[i] = bytes[i];
        }
    }
    constexpr explicit address(ipv6_bytes bytes, std::uint32_t scope_id = 0) noexcept
        : bytes_(bytes), scope_id_(scope_id), family_(family::ipv6) {}

    // "127.0.0.1", "::1", "fe80::1%eth0" or "fe80::1%2". Throws std::invalid_argument naming `text`.
    [[nodiscard]] static address parse(std::string_view text);
    // The same, or std::errc::invalid_argument.
    [[nodiscard]] static result<address> try_parse(std::string_view text);

    [[nodiscard]] static constexpr address loopback_ipv4() noexcept {
        return address(ipv4_bytes{127, 0, 0, 1});
    }
    [[nodiscard]] static constexpr address loopback_ipv6() noexcept {
        return address(ipv6_bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    }
    [[nodiscard]] static constexpr address any_ipv4() noexcept { return address(); }
    [[nodiscard]] static constexpr address any_ipv6() noexcept { return address(ipv6_bytes{}); }

    [[nodiscard]] constexpr bool is_ipv4() const noexcept { return family_ == family::ipv4; }
    [[nodiscard]] constexpr bool is_ipv6() const noexcept { return family_ == family::ipv6; }
    [[nodiscard]] bool is_unspecified() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;     // 127.0.0.0/8, ::1
    [[nodiscard]] bool is_link_local() const noexcept;   // 169.254.0.0/16, fe80::/10
    [[nodiscard]] bool is_multicast() const noexcept;    // 224.0.0.0/4, ff00::/8
    [[nodiscard]] bool is_ipv4_mapped() const noexcept;  // ::ffff:0:0/96, what a dual-stack socket reports

    // The IPv4 address inside a mapped one; any other address unchanged.
    [[nodiscard]] address unmapped() const noexcept;

    // The first 4 or all 16 bytes hold the address, in network order.
    [[nodiscard]] constexpr const ipv6_bytes& bytes() const noexcept { return bytes_; }
    // The index of the interface a link-local address belongs to; 0 is none.
    [[nodiscard]] constexpr std::uint32_t scope_id() const noexcept { return scope_id_; }

    // "127.0.0.1", "::1", "fe80::1%2": parse() reads it back.
    [[nodiscard]] std::string to_string() const;

    // IPv4 before IPv6, then by value.
    friend constexpr std::strong_ordering operator<=>(const address& a, const address& b) noexcept {
        if (const auto order = a.family_ <=> b.family_; order != 0) {
            return order;
        }
        if (const auto order = a.bytes_ <=> b.bytes_; order != 0) {
            return order;
        }
        return a.scope_id_ <=> b.scope_id_;
    }
    friend constexpr bool operator==(const address&, const address&) noexcept = default;

private:
    ipv6_bytes bytes_{};
    std::uint32_t scope_id_ = 0;
    family family_ = family::ipv4;
};

}  // namespace leat

template <>
struct std::hash<leat::address> {
    std::size_t operator()(const leat::address& value) const noexcept;
};
