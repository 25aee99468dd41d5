// SPDX-License-Identifier: MIT
// What can go wrong between WebSocket peers, as codes of the category "websocket".
#pragma once

#include <system_error>

namespace leat::websocket {

enum class error {
    closed = 1,       // this side has closed: nothing can be sent any more
    truncated,        // the connection ended without a close: messages may be missing
    protocol,         // the peer does not keep to RFC 6455; it was told so (1002, or no code)
    invalid_text,     // a text of the peer is no UTF-8; it was told so (1007)
    message_too_big,  // a message of the peer is longer than allowed; it was told so (1009)
    bad_handshake,    // the server's answer agrees to what was not offered, or is to another handshake
};

[[nodiscard]] const std::error_category& websocket_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(error value) noexcept {
    return {static_cast<int>(value), websocket_category()};
}

}  // namespace leat::websocket

template <>
struct std::is_error_code_enum<leat::websocket::error> : std::true_type {};
