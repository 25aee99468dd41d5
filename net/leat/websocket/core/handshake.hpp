// SPDX-License-Identifier: MIT
// The keys of a WebSocket handshake (RFC 6455 4.1, 4.2.2): they show that the other side speaks WebSocket,
// and that no cache has answered.
#pragma once

#include <string>
#include <string_view>

namespace leat::websocket::detail {

// 16 bytes in base64.
[[nodiscard]] bool is_handshake_key(std::string_view key) noexcept;
// The Sec-WebSocket-Accept that answers `key`.
[[nodiscard]] std::string accepted_key(std::string_view key);
// One that nobody can guess.
[[nodiscard]] std::string new_handshake_key();

}  // namespace leat::websocket::detail
