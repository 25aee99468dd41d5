// SPDX-License-Identifier: MIT
#include <leat/proxy_protocol.hpp>

#include <leat/core/number.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace leat::detail {
namespace {

using step = result<proxy_header_progress>;

constexpr std::string_view signature_1 = "PROXY ";
constexpr std::size_t line_max = 107;  // of version 1, with its line end
constexpr std::string_view signature_2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_size = 16;  // of version 2
constexpr std::uint8_t type_authority = 0x02;

step malformed() noexcept {
    return std::make_error_code(std::errc::protocol_error);
}

unsigned byte_at(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<unsigned char>(bytes[at]);
}

unsigned number_at(std::string_view bytes, std::size_t at) noexcept {
    return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

std::string_view next_word(std::string_view& line) noexcept {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

std::optional<endpoint> endpoint_of(std::string_view host, std::string_view port, bool ipv4) {
    const auto parsed = address::try_parse(host);
    const auto number = parse_number<std::uint16_t>(port);
    if (!parsed || parsed->is_ipv4() != ipv4 || parsed->scope_id() != 0 || !number) {
        return std::nullopt;
    }
    return endpoint(*parsed, *number);
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443"
step read_line(std::string_view bytes) {
    const std::size_t end = bytes.substr(0, line_max).find("\r\n");
    if (end == bytes.npos) {
        return bytes.size() < line_max ? step(proxy_header_progress{}) : malformed();
    }
    proxy_header_progress read{.size = end + 2};
    std::string_view line = bytes.substr(signature_1.size(), end - signature_1.size());
    const std::string_view family = next_word(line);
    if (family == "UNKNOWN") {
        return read;
    }
    const bool ipv4 = family == "TCP4";
    const std::string_view from = next_word(line);
    const std::string_view to = next_word(line);
    const std::string_view from_port = next_word(line);
    const std::string_view to_port = line;
    read.header.from = endpoint_of(from, from_port, ipv4);
    read.header.to = endpoint_of(to, to_port, ipv4);
    const bool known = ipv4 || family == "TCP6";
    return known && read.header.from && read.header.to ? step(std::move(read)) : malformed();
}

template <std::size_t size>
std::array<std::uint8_t, size> address_bytes(std::string_view bytes, std::size_t at) noexcept {
    std::array<std::uint8_t, size> copied;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, copied.begin());
    return copied;
}

template <std::size_t size>
void take_addresses(std::string_view bytes, proxy_header& into) noexcept {
    into.from = endpoint(address(address_bytes<size>(bytes, 0)),
                         static_cast<std::uint16_t>(number_at(bytes, 2 * size)));
    into.to = endpoint(address(address_bytes<size>(bytes, size)),
                       static_cast<std::uint16_t>(number_at(bytes, 2 * size + 2)));
}

// Type, length and value of what follows the addresses. Types that are not known say nothing.
bool take_extras(std::string_view bytes, proxy_header& into) {
    while (!bytes.empty()) {
        if (bytes.size() < 3 || bytes.size() - 3 < number_at(bytes, 1)) {
            return false;
        }
        const std::string_view value = bytes.substr(3, number_at(bytes, 1));
        if (byte_at(bytes, 0) == type_authority) {
            into.server_name = value;
        }
        bytes.remove_prefix(3 + value.size());
    }
    return true;
}

step read_binary(std::string_view bytes) {
    if (bytes.size() < fixed_size) {
        return proxy_header_progress{};
    }
    const unsigned command = byte_at(bytes, 12);
    const unsigned family = byte_at(bytes, 13) >> 4;
    const unsigned transport = byte_at(bytes, 13) & 15;
    const std::size_t size = fixed_size + number_at(bytes, 14);
    if ((command != 0x20 && command != 0x21) || family > 3 || transport > 2 || size > proxy_header_max) {
        return malformed();
    }
    if (bytes.size() < size) {
        return proxy_header_progress{};
    }
    proxy_header_progress read{.size = size};
    if (command == 0x20) {
        return read;  // the proxy speaks for itself
    }
    constexpr std::array<std::size_t, 4> addresses_of{0, 12, 36, 216};  // none, IPv4, IPv6, Unix domain
    const std::string_view rest = bytes.substr(fixed_size, size - fixed_size);
    if (rest.size() < addresses_of[family]) {
        return malformed();
    }
    if (family == 1) {
        take_addresses<4>(rest, read.header);
    } else if (family == 2) {
        take_addresses<16>(rest, read.header);
    }
    if (family != 0 && !take_extras(rest.substr(addresses_of[family]), read.header)) {
        return malformed();
    }
    return read;
}

}  // namespace

step read_proxy_header(std::string_view bytes) {
    const auto begins_with = [&](std::string_view signature) {
        return bytes.starts_with(signature.substr(0, bytes.size()));
    };
    if (begins_with(signature_1)) {
        return bytes.size() < signature_1.size() ? step(proxy_header_progress{}) : read_line(bytes);
    }
    return begins_with(signature_2) ? read_binary(bytes) : malformed();
}

void fail_proxy_header(std::error_code why) {
    throw std::system_error(why, "the header of the PROXY protocol");
}

}  // namespace leat::detail
