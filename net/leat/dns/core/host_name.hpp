// SPDX-License-Identifier: MIT
// host_name: tells whether the text of a host is an IP address or a name to look up. Used by resolve() and
// connect(); it sends no question.
#pragma once

#include <leat/dns/resolve.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::detail {

// The address that `host` is: "127.0.0.1", "::1", "[::1]", "fe80::1%eth0". Empty for a name.
[[nodiscard]] std::optional<address> literal_address(std::string_view host);

// The answer to `host` when it is an address itself; empty for a name. Throws dns_errc::no_address when it
// is of the other family.
[[nodiscard]] std::optional<std::vector<address>> literal_answer(std::string_view host,
                                                                 address_families families);

// `host` as it is asked for: in lower case, and every name of RFC 6761's localhost as "localhost". Empty
// if it is not a host name (RFC 1123; an underscore is let through): too long, an empty or overlong label,
// another character than a letter, digit, '-' or '_', or a last label of digits, which only an IPv4
// address in another notation has.
[[nodiscard]] std::string name_to_ask(std::string_view host);

// The addresses of localhost, which always has one of each family (RFC 6761 section 6.3): those that are
// `known` from /etc/hosts, or else the usual ones.
[[nodiscard]] std::vector<address> localhost_addresses(std::vector<address> known, address_families families);

// `host` for an error message: what cannot be printed is escaped, what is endless is cut.
[[nodiscard]] std::string printable(std::string_view host);

}  // namespace leat::detail
