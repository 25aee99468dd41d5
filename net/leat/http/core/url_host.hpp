// SPDX-License-Identifier: MIT
// parse_url_host: the host of an http URL, read as browsers read it (url.spec.whatwg.org), in its canonical
// form. Used by the URL parser only.
#pragma once

#include <leat/address.hpp>
#include <leat/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

// A name in lower case and ASCII; an IPv4 address as four decimal numbers, whatever notation it was written
// in; an IPv6 address without its brackets, with its "%zone" if it has one. Fails with bad_host or
// non_ascii_host.
[[nodiscard]] result<std::string> parse_url_host(std::string_view text);

// Whether the last label of `name` is a number, so that the whole can only be an IPv4 address.
[[nodiscard]] bool ends_in_number(std::string_view name) noexcept;
// One to four numbers, decimal, octal (07) or hexadecimal (0x7); the last fills all the bytes that are left.
[[nodiscard]] std::optional<address> parse_any_ipv4(std::string_view text) noexcept;
// RFC 5952, but an IPv4 address inside is written in hexadecimal too.
[[nodiscard]] std::string ipv6_text(const address& from);

}  // namespace leat::http::detail
