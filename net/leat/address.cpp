// SPDX-License-Identifier: MIT
#include <leat/address.hpp>

#include <leat/core/number.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <net/if.h>

namespace leat {
namespace {

constexpr address::ipv6_bytes mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t mapped_prefix_size = 12;

// A copy with a terminating zero, which inet_pton and if_nametoindex want; empty when `text` does not fit.
template <std::size_t Size>
std::array<char, Size> terminated(std::string_view text) noexcept {
    std::array<char, Size> copy{};
    if (text.size() < Size && text.find('\0') == text.npos) {
        std::copy(text.begin(), text.end(), copy.begin());
    }
    return copy;
}

// The number behind "%": an interface index, or the name of an interface of this machine. 0 is neither.
std::uint32_t parse_scope(std::string_view text) noexcept {
    if (const auto number = leat::detail::parse_number<std::uint32_t>(text)) {
        return *number;
    }
    const auto name = terminated<IF_NAMESIZE>(text);
    return name[0] == '\0' ? 0 : ::if_nametoindex(name.data());
}

}  // namespace

result<address> address::try_parse(std::string_view text) {
    const auto invalid = std::make_error_code(std::errc::invalid_argument);
    if (text.find(':') == text.npos) {
        ipv4_bytes bytes;
        const auto copy = terminated<INET_ADDRSTRLEN>(text);
        if (::inet_pton(AF_INET, copy.data(), bytes.data()) != 1) {
            return invalid;
        }
        return address(bytes);
    }
    const std::size_t percent = text.find('%');
    ipv6_bytes bytes;
    const auto copy = terminated<INET6_ADDRSTRLEN>(text.substr(0, percent));
    if (::inet_pton(AF_INET6, copy.data(), bytes.data()) != 1) {
        return invalid;
    }
    const std::uint32_t scope = percent == text.npos ? 0 : parse_scope(text.substr(percent + 1));
    if (percent != text.npos && scope == 0) {
        return invalid;
    }
    return address(bytes, scope);
}

address address::parse(std::string_view text) {
    const auto parsed = try_parse(text);
    if (!parsed) {
        throw std::invalid_argument("\"" + std::string(text) + "\" is not an IPv4 or IPv6 address");
    }
    return *parsed;
}

bool address::is_unspecified() const noexcept {
    return bytes_ == ipv6_bytes{};
}

bool address::is_loopback() const noexcept {
    return is_ipv4() ? bytes_[0] == 127 : bytes_ == loopback_ipv6().bytes_;
}

bool address::is_link_local() const noexcept {
    return is_ipv4() ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool address::is_multicast() const noexcept {
    return is_ipv4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool address::is_ipv4_mapped() const noexcept {
    return is_ipv6() &&
           std::equal(bytes_.begin(), bytes_.begin() + mapped_prefix_size, mapped_prefix.begin());
}

address address::unmapped() const noexcept {
    if (!is_ipv4_mapped()) {
        return *this;
    }
    return address(ipv4_bytes{bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::string address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(is_ipv4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    std::string whole = text.data();
    if (scope_id_ != 0) {
        whole += '%';
        whole += std::to_string(scope_id_);
    }
    return whole;
}

}  // namespace leat

std::size_t std::hash<leat::address>::operator()(const leat::address& value) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, value.bytes().data(), sizeof high);
    std::memcpy(&low, value.bytes().data() + sizeof high, sizeof low);
    // Two rounds of multiply and fold: addresses differ in few, low bits.
    std::uint64_t mixed = (high ^ value.scope_id() ^ (value.is_ipv6() ? 1U : 0U)) * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 32) ^ low) * 0xd6e8feb86659fd93U;
    return mixed ^ (mixed >> 32);
}
