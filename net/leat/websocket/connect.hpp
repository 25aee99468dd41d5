// SPDX-License-Identifier: MIT
// connect: a WebSocket as a client (RFC 6455 4.1), through the HTTP client: with its proxies, certificates,
// cookies, logins, redirects and deadlines.
//
//     leat::websocket::socket peer = co_await leat::websocket::connect("wss://example.org/feed");
//     while (const auto news = co_await peer.receive()) {
//         ...
//     }
#pragma once

#include <leat/http/client.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/request_options.hpp>
#include <leat/websocket/socket.hpp>

#include <span>
#include <string>
#include <string_view>

namespace leat::websocket {

struct connect_options {
    socket_options socket = {};
    // What the client speaks on top, the most wanted first; socket::protocol() is what the server chose, or
    // empty. They live until connect() completes.
    std::span<const std::string_view> protocols = {};
    http::request_options request = {};  // limits of the handshake
    http::headers fields = {};           // more fields of the request, such as Origin or Authorization
};

// Connects to `url` (ws, wss, http or https). `socket peer = co_await connect(...)` makes the socket of what
// this gives. Throws http::upgrade_refused where the server answers otherwise, error::bad_handshake where it
// agrees to what was not offered, std::invalid_argument for protocols that are no tokens, and as
// client::get() does. Cancelled: the connection is closed. The socket may outlive the client.
[[nodiscard]] task<connected> connect(http::client& client, std::string url, connect_options options = {});
// The same, with a client for it alone.
[[nodiscard]] task<connected> connect(std::string url, connect_options options = {});

}  // namespace leat::websocket
