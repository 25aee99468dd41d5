// SPDX-License-Identifier: MIT
// What two WebSocket peers say to each other: messages, and why they close (RFC 6455).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::websocket {

// Which side of the connection this is: a client masks what it sends.
enum class role : std::uint8_t { server, client };

enum class kind : std::uint8_t { text, binary };

// As socket::receive() gives it: `data` is good until the next receive. A text is well-formed UTF-8.
struct message {
    websocket::kind kind;
    std::string_view data;
};

// RFC 6455 7.4.1. Those from 3000 on are for libraries (registered with IANA), from 4000 on for programs.
enum class close_code : std::uint16_t {
    normal = 1000,
    going_away = 1001,  // a server that stops, a page that is left
    protocol_error = 1002,
    unsupported_data = 1003,
    none = 1005,  // the peer said none; never sent
    invalid_text = 1007,
    policy_violation = 1008,
    message_too_big = 1009,
    missing_extension = 1010,
    internal_error = 1011,
    service_restart = 1012,
    try_again_later = 1013,
};

// Why a peer has closed.
struct closing {
    close_code code = close_code::none;
    std::string reason;  // UTF-8 for a person; mostly empty
};

}  // namespace leat::websocket
