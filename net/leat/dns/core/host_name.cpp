// SPDX-License-Identifier: MIT
#include <leat/dns/core/host_name.hpp>

#include <algorithm>
#include <functional>

namespace leat::detail {

namespace {

constexpr std::size_t name_max = 253;  // RFC 1035: 255 bytes on the wire
constexpr std::size_t label_max = 63;
constexpr std::size_t shown_max = 100;

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= label_max && std::ranges::all_of(label, [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_';
    });
}

// "1", "0x7f": inet_aton(3) would take a name that ends so for an IPv4 address (RFC 3696 section 2).
bool is_number(std::string_view label) noexcept {
    if (label.starts_with("0x") || label.starts_with("0X")) {
        return label.find_first_not_of("0123456789abcdefABCDEF", 2) == label.npos;
    }
    return std::ranges::all_of(label, is_digit);
}

bool is_name(std::string_view name) noexcept {
    if (name.size() > name_max) {
        return false;
    }
    for (;;) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        if (!is_label(label)) {
            return false;
        }
        if (dot == name.npos) {
            return !is_number(label);
        }
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<address> literal_address(std::string_view host) {
    const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (brackets) {
        host = host.substr(1, host.size() - 2);
    }
    const auto parsed = address::try_parse(host);
    return parsed.ok() && (!brackets || parsed->is_ipv6()) ? std::optional(*parsed) : std::nullopt;
}

std::optional<std::vector<address>> literal_answer(std::string_view host, address_families families) {
    const auto literal = literal_address(host);
    if (!literal) {
        return std::nullopt;
    }
    const auto family = literal->is_ipv4() ? address_families::ipv4 : address_families::ipv6;
    if (families != address_families::any && families != family) {
        throw std::system_error(dns_errc::no_address, "resolve " + printable(host));
    }
    return std::vector<address>{*literal};
}

std::string name_to_ask(std::string_view host) {
    const bool absolute = host.size() > 1 && host.back() == '.';
    const std::string_view relative = absolute ? host.substr(0, host.size() - 1) : host;
    if (!is_name(relative)) {
        return {};
    }
    std::string name(host);
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::string_view lower = std::string_view(name).substr(0, relative.size());
    if (lower == "localhost" || lower.ends_with(".localhost")) {
        return "localhost";
    }
    return name;
}

std::vector<address> localhost_addresses(std::vector<address> known, address_families families) {
    const auto wanted = [&](const address& each) {
        return families == (each.is_ipv4() ? address_families::ipv4 : address_families::ipv6);
    };
    if (families == address_families::any) {
        return known.empty() ? std::vector{address::loopback_ipv6(), address::loopback_ipv4()}
                             : std::move(known);
    }
    std::erase_if(known, std::not_fn(wanted));
    if (known.empty()) {
        known.push_back(families == address_families::ipv4 ? address::loopback_ipv4()
                                                           : address::loopback_ipv6());
    }
    return known;
}

std::string printable(std::string_view host) {
    if (host.empty()) {
        return "\"\"";
    }
    std::string text;
    for (const char c : host.substr(0, shown_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7f && c != '\\') {
            text += c;
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        }
    }
    if (host.size() > shown_max) {
        text += "... (" + std::to_string(host.size()) + " characters)";
    }
    return text;
}

}  // namespace leat::detail
