// SPDX-License-Identifier: MIT
// socket: one end of a WebSocket (RFC 6455): whole messages, texts or bytes, in both directions. accept.hpp
// makes one in an HTTP server.
//
//     leat::task<> echo(leat::websocket::socket& peer) {
//         while (const auto said = co_await peer.receive()) {
//             co_await peer.send(*said);
//         }
//     }
//
// Pings of the peer are answered, and a silent peer is asked whether it is there, while a task receives.
// Invariant: what leaves is whole frames, also around sends that were cancelled.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/chunk.hpp>
#include <leat/clock.hpp>
#include <leat/sync/event.hpp>
#include <leat/sync/mutex.hpp>
#include <leat/task.hpp>
#include <leat/websocket/core/session.hpp>
#include <leat/websocket/message.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace leat::websocket {

// Whether messages are compressed (permessage-deflate, RFC 7692), if both sides want it.
enum class compression : std::uint8_t {
    none,
    each_message,  // by itself: an idle connection holds no memory for it
    shared,        // later messages refer to earlier ones: smaller, for some 300 KiB a connection
};

struct socket_options {
    std::size_t message_bytes = 1024 * 1024;  // the longest message that is received
    // A peer from which no byte has come for so long gets a ping; when then none comes for as long as
    // ping_limit, receive() throws std::errc::timed_out. duration::max(): it may be silent for ever.
    duration ping_every = std::chrono::seconds(20);
    duration ping_limit = std::chrono::seconds(20);
    duration close_limit = std::chrono::seconds(10);  // for the peer's answer to a close
    websocket::compression compression = websocket::compression::none;
};

struct connected;

class socket {
public:
    // What the handshake has agreed on.
    struct agreement {
        std::string protocol = {};  // Sec-WebSocket-Protocol; empty: none
        std::optional<detail::deflate_terms> deflate = {};
    };
    // Over `stream`, on which the handshake has been done.
    socket(any_stream stream, role as, const socket_options& options = {});
    socket(any_stream stream, role as, const socket_options& options, agreement agreed);
    socket(connected made);  // of what connect() gives: implicit, for `socket peer = co_await connect(...)`
    socket(const socket&) = delete;
    socket& operator=(const socket&) = delete;
    ~socket() = default;

    // The next message; nothing when the peer has closed, whatever its code (closed_by_peer()), or this side
    // has. When the server stops whose connection this is, it closes with 1001 (going away) and gives
    // nothing. Throws std::system_error: errc::timed_out for a peer that does not answer, error::truncated,
    // those of a peer that breaks the protocol (websocket::error), and those of the stream. Cancelled: no
    // message is lost. One task at a time.
    [[nodiscard]] task<std::optional<message>> receive();

    // Sends a text, which is UTF-8 (else std::invalid_argument), or bytes. They live until it completes: when
    // the kernel has the message, so a slow peer slows the sender. Any number of tasks may send; each message
    // leaves whole. Throws error::closed behind a close, and the errors of the stream. Cancelled while others
    // send, or while what they have left behind leaves: the message has not been sent; else what has not left
    // of it leaves with what is sent next.
    [[nodiscard]] task<> send(std::string_view text);
    [[nodiscard]] task<> send(std::span<const std::byte> data);
    [[nodiscard]] task<> send(message whole);  // of either kind

    // Completes when the peer has answered a ping, which needs a task that receives. No limit of its own.
    [[nodiscard]] task<> ping();

    // Says that no more will be sent, and waits for the peer to say so, at most for close_limit; then the
    // connection is closed, which also ends a receive(). Messages that come behind the close go nowhere. A
    // peer that is gone is no error. Throws std::invalid_argument for a code that is not to be sent, and for
    // a reason of more than 123 bytes or that is not UTF-8.
    [[nodiscard]] task<> close(close_code code = close_code::normal, std::string_view reason = {});

    // What the peer said when it closed; null before that.
    [[nodiscard]] const closing* closed_by_peer() const noexcept { return session_.closed_by_peer(); }
    // What both agreed on in the handshake.
    [[nodiscard]] const std::string& protocol() const noexcept { return agreed_.protocol; }
    [[nodiscard]] bool compresses() const noexcept { return agreed_.deflate.has_value(); }

private:
    struct receiving_turn;

    [[nodiscard]] task<> send_as(kind of, std::string_view data);
    [[nodiscard]] bool holds_back() noexcept { return left_ < leaving_.size() || !session_.out().empty(); }
    [[nodiscard]] task<> flush();
    [[nodiscard]] task<> flush_unless_sending();
    [[nodiscard]] task<> send_out();
    void begin_close(close_code code, std::string_view reason);
    [[nodiscard]] task<> close_by_both();
    [[nodiscard]] task<> receive_bytes();
    [[nodiscard]] task<> receive_more();
    void take_input();

    agreement agreed_;
    any_stream stream_;
    detail::session session_;
    socket_options options_;
    chunk input_;
    std::string leaving_;           // bytes of session_ that are being sent, from left_ on
    std::size_t left_ = 0;          // so many of them have left
    mutex sending_;                 // locked while bytes are being sent
    event progress_;                // set when a pong has come, and at the end
    time_point answer_by_ = never;  // the peer's, to the close of this side
    bool receiving_ = false;
    bool close_receives_ = false;  // since no other task did
    bool ended_ = false;           // nothing more comes
};

// A connection of a client on which the handshake has been done (connect.hpp).
struct connected {
    any_stream stream;
    socket_options options = {};
    socket::agreement agreed = {};
};

}  // namespace leat::websocket
