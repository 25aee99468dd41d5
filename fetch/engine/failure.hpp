// SPDX-License-Identifier: MIT
// failure: why a file could not be fetched: its kind, which decides whether it is tried again and what the
// program's exit status is, and one line for people.
#pragma once

#include <leat/clock.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

enum class failure_kind : std::uint8_t {
    bad_input,    // the line or the URL is none
    name,         // the host has no address
    connect,      // refused, unreachable, or too late
    tls,          // the handshake, or the certificate
    refused,      // a status of 400 to 499, but for 408 and 429
    busy,         // 408, 429, 503
    server,       // another status from 500 on
    protocol,     // what the server sends is no HTTP, or contradicts itself
    redirect,     // too many, or one that leads nowhere
    interrupted,  // the connection ended in the middle
    stalled,      // too slow, or silent
    checksum,     // the file is not the one that was meant
    file,         // it could not be written
    other,
};

// "name", "connect" ...: in the events of --json, and in the summary.
[[nodiscard]] std::string_view name_of(failure_kind kind) noexcept;

struct failure {
    failure_kind kind = failure_kind::other;
    std::string text = {};                           // one line of ASCII, with the URL
    int status = 0;                                  // that the server has answered with, if it has
    std::optional<leat::duration> retry_after = {};  // that the server asks for

    // A name that does not exist, or a server that cannot do what it is asked (501, 505).
    bool lasting = false;
    // Whether the same request may succeed a little later.
    [[nodiscard]] bool may_pass() const noexcept;
};

// The host, or the way to it, has more to do than it can.
[[nodiscard]] bool is_trouble(failure_kind kind) noexcept;

// What an exception of the client or of a file says.
[[nodiscard]] failure failure_of(const std::exception& thrown);

}  // namespace fetch
