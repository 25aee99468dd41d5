// SPDX-License-Identifier: MIT
#include <leat/http/core/request_target.hpp>

#include <leat/address.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>
#include <array>

namespace leat::http::detail {
namespace {

// RFC 3986 3.2.2: unreserved and sub-delims. The grammar also has the comma, which would make two hosts of
// one.
constexpr std::array<bool, 256> name_table = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < 0x80; ++i) {
        const auto c = static_cast<char>(i);
        table[i] = is_alpha(c) || is_digit(c) ||
                   std::string_view("-._~!$&'()*+;=").find(c) != std::string_view::npos;
    }
    return table;
}();

bool is_name(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (name_table[static_cast<unsigned char>(text[i])]) {
            continue;
        }
        if (text[i] != '%' || i + 2 >= text.size() || hex_value(text[i + 1]) < 0 ||
            hex_value(text[i + 2]) < 0) {
            return false;
        }
        i += 2;
    }
    return !text.empty();
}

bool is_bracketed(std::string_view host) noexcept {
    if (!host.ends_with(']')) {
        return false;
    }
    const std::string_view literal = host.substr(1, host.size() - 2);
    if (literal.find('%') != literal.npos) {
        return false;  // a zone means something on the peer's machine only
    }
    const auto parsed = address::try_parse(literal);
    return parsed && parsed->is_ipv6();
}

// Where the colon before the port stands, or the end.
std::size_t host_size(std::string_view authority) noexcept {
    const std::size_t from = authority.starts_with('[') ? authority.find(']') : 0;
    return std::min(authority.find(':', from), authority.size());
}

std::optional<request_target> read_absolute(std::string_view text) noexcept {
    const std::size_t scheme_size = text.find("://");
    if (scheme_size == text.npos || scheme_size == 0 || !is_alpha(text.front())) {
        return std::nullopt;
    }
    const std::string_view scheme = text.substr(0, scheme_size);
    const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
    const std::string_view rest = text.substr(scheme_size + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    if (!valid || !is_authority(authority)) {
        return std::nullopt;
    }
    return request_target{request_target::form::absolute, authority};
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
    const std::size_t size = host_size(text);
    const std::string_view host = text.substr(0, size);
    if (host.starts_with('[') ? !is_bracketed(host) : !is_name(host)) {
        return false;
    }
    const std::string_view port = text.substr(std::min(size + 1, text.size()));
    return port.empty() || leat::detail::parse_number<std::uint16_t>(port).has_value();
}

std::optional<request_target> read_target(std::string_view method, std::string_view text) noexcept {
    if (!is_request_target(text)) {
        return std::nullopt;
    }
    if (method == "CONNECT") {
        const bool has_port = host_size(text) + 1 < text.size();
        return has_port && is_authority(text)
                   ? std::optional(request_target{request_target::form::authority, text})
                   : std::nullopt;
    }
    if (text.front() == '/') {
        return request_target{};
    }
    if (text == "*") {
        return method == "OPTIONS" ? std::optional(request_target{request_target::form::asterisk, {}})
                                   : std::nullopt;
    }
    return read_absolute(text);
}

}  // namespace leat::http::detail
