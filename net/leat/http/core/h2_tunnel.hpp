// SPDX-License-Identifier: MIT
// tunnel: one stream of an h2_connection as a byte stream of its own, which satisfies stream.hpp: for a
// protocol that an extended CONNECT has asked for (RFC 8441), such as WebSocket. The end of what one side
// sends is END_STREAM, a reset is RST_STREAM.
// Invariant: the h2_stream outlives it. What was not received of it is at most a window.
#pragma once

#include <leat/bytes.hpp>
#include <leat/chunk.hpp>
#include <leat/http/core/h2_connection.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

namespace leat::http::detail {

class h2_connection::tunnel {
    using pieces = std::array<std::span<const std::byte>, 4>;

public:
    tunnel(h2_connection& on, h2_stream& asked) noexcept : connection_(&on), stream_(&asked) {}

    // As of tcp_stream. Cancelled: no byte is lost; what send_all() has sent of its bytes is sent.
    [[nodiscard]] task<std::size_t> recv(byte_buffer into);
    [[nodiscard]] task<> recv_exactly(byte_buffer into);
    [[nodiscard]] task<chunk> recv_chunk();
    void unread(chunk&& bytes);
    // Complete when what is sent is next to leave.
    [[nodiscard]] task<std::size_t> send(byte_view from);
    [[nodiscard]] task<> send_all(byte_view from) { return send_pieces({from}); }
    template <typename... More>
        requires(sizeof...(More) > 0 && sizeof...(More) < std::tuple_size_v<pieces>)
    [[nodiscard]] task<> send_all(byte_view first, const More&... more) {
        return send_pieces({first, byte_view(more)...});
    }
    void shutdown_send() noexcept;
    // What was sent still leaves. Operations in flight end with operation_canceled.
    void close() noexcept;
    void reset() noexcept;

private:
    struct sending;

    [[nodiscard]] task<> wait_for_bytes();
    [[nodiscard]] task<> send_pieces(pieces all);
    void require_sending(bool began) const;
    void forget_taken() noexcept;
    [[nodiscard]] std::string_view rest() const noexcept { return std::string_view(taken_).substr(at_); }

    h2_connection* connection_;
    h2_stream* stream_;
    std::string taken_;  // received, and given to the user up to at_
    std::size_t at_ = 0;
    bool closed_ = false;
    bool shut_down_ = false;
    bool broken_ = false;  // a send_all was cut off
};

}  // namespace leat::http::detail
