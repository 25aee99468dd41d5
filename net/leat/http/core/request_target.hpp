// SPDX-License-Identifier: MIT
// The target of a request (RFC 9112 3.2) and the host that it or the Host field names (RFC 9110 7.2). The
// request parser refuses targets and hosts that these functions refuse.
#pragma once

#include <optional>
#include <string_view>

namespace leat::http::detail {

struct request_target {
    // "/path?query"; "http://host/path", as it is sent to a proxy; "host:port", for CONNECT; "*", for OPTIONS
    enum class form : unsigned char { origin, absolute, authority, asterisk };

    form kind = form::origin;
    std::string_view authority;  // of the forms absolute and authority
};

// Nothing when `text` is no target, or one that `method` cannot have. It holds visible ASCII only (RFC 3986
// allows no other), but which of those stand in a path and a query is left to the handler: browsers send
// more than RFC 3986 allows.
[[nodiscard]] std::optional<request_target> read_target(std::string_view method,
                                                        std::string_view text) noexcept;

// Whether `text` is a host and perhaps a port: a name, an IPv4 address or an IPv6 address in brackets, never
// empty; no zone, no user, no comma. "host:" has the scheme's own port.
[[nodiscard]] bool is_authority(std::string_view text) noexcept;

}  // namespace leat::http::detail
