// SPDX-License-Identifier: MIT
// Two ends of a WebSocket over streams in memory, and one end whose peer the test writes byte by byte.
#pragma once

#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/websocket.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leat::websocket {

struct two_sockets {
    explicit two_sockets(testing::memory_limits limits = {}, const socket_options& options = {})
        : two_sockets(testing::memory_stream::pair(limits), options) {}

    socket client;
    socket server;

private:
    two_sockets(std::pair<testing::memory_stream, testing::memory_stream> streams,
                const socket_options& options)
        : client(std::move(streams.first), role::client, options),
          server(std::move(streams.second), role::server, options) {}
};

// A server, and the stream that its client has.
struct raw_client {
    explicit raw_client(const socket_options& options = {})
        : raw_client(testing::memory_stream::pair(), options) {}

    testing::memory_stream client;
    socket server;

private:
    raw_client(std::pair<testing::memory_stream, testing::memory_stream> streams,
               const socket_options& options)
        : client(std::move(streams.first)), server(std::move(streams.second), role::server, options) {}
};

// A masked frame as a client sends it, of less than 126 bytes; its mask is zero, so the text is readable.
inline std::string frame(int first_byte, std::string_view payload) {
    std::string bytes{static_cast<char>(first_byte), static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
    bytes += payload;
    return bytes;
}
inline constexpr int last_text = 0x81, first_text = 0x01, more = 0x00, last = 0x80, last_binary = 0x82,
                     a_close = 0x88, a_ping = 0x89, a_pong = 0x8a;

inline std::string close_payload(int code, std::string_view reason = {}) {
    std::string bytes{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    bytes += reason;
    return bytes;
}

// What receive() ends with: the text of a message, "end", or the error.
inline task<std::string> received(socket& from) {
    const auto next = co_await as_result(from.receive());
    if (!next.ok()) {
        co_return next.error().message();
    }
    co_return next->has_value() ? std::string((*next)->data) : "end";
}

}  // namespace leat::websocket
