// SPDX-License-Identifier: MIT
// session: one WebSocket connection without its I/O (RFC 6455), on wslay: it makes messages of received bytes
// and bytes of messages, answers pings, and takes part in the closing handshake. socket.hpp sends and
// receives.
//
// What comes behind a message is looked at once that has been taken: so an answer to it can be sent, also
// when a close, or a frame that ends the connection, has come with it. wslay, which reads ahead, gets each
// frame by itself. It would make room for all that the head of a frame announces, so the bytes of messages
// are put together here, as they come. Invariant: what is to be sent ends with a whole frame, and nothing
// follows a close.
#pragma once

#include <leat/websocket/core/deflate.hpp>
#include <leat/websocket/core/frame_edges.hpp>
#include <leat/websocket/error.hpp>
#include <leat/websocket/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

struct wslay_event_context;

namespace leat::websocket::detail {

class session {
public:
    // Messages of at most so many bytes are received. With `deflate` they may be compressed, and those that
    // are not short are sent so. Throws std::bad_alloc.
    session(role as, std::size_t message_bytes_max, const std::optional<deflate_terms>& deflate = {});
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    // Takes bytes off the front of `input` until a message is ready, or nothing more will be received. What
    // comes behind this side's close is dropped. Throws
    // std::bad_alloc; then failure() says so, unless only an answer of this side was not written yet.
    void receive(std::string_view& input);
    // The message that is ready, or null. Good until the next call.
    [[nodiscard]] const message* take_message();
    // If one is ready it goes nowhere. The one that was taken last stays good.
    void drop_message() noexcept;
    // A close has come, or what makes going on impossible.
    [[nodiscard]] bool receives() const noexcept;
    // What the peer has done wrong, if that was why.
    [[nodiscard]] std::error_code failure() const noexcept;
    // What the close of the peer says; null before one has come.
    [[nodiscard]] const closing* closed_by_peer() const noexcept;
    // Pongs that have come.
    [[nodiscard]] std::uint64_t pongs() const noexcept { return pongs_; }

    // Adds a frame to what is to be sent; nothing once this side has closed. They throw std::bad_alloc.
    void send(kind of, std::string_view data);
    void ping();
    void close(close_code code, std::string_view reason);
    // This side has closed: what it was asked to send before that still leaves.
    [[nodiscard]] bool has_closed() const noexcept { return closed_; }

    // Bytes to be sent.
    [[nodiscard]] std::string& out() noexcept { return out_; }

private:
    struct callbacks;
    struct compression {
        compression(const deflate_side& own, const deflate_side& peer) noexcept
            : sending(own), receiving(peer) {}
        deflater sending;
        inflater receiving;
    };
    struct owned_message {
        websocket::kind kind;
        std::string data;
    };

    void queue(std::uint8_t opcode, std::string_view data, std::uint8_t reserved_bits = 0);
    void finish_message();
    void write_out();
    void fail(close_code code);
    void reuse(std::string& memory) noexcept;

    wslay_event_context* context_ = nullptr;
    std::unique_ptr<compression> compression_;  // null: nothing is compressed
    std::size_t message_bytes_max_;
    std::string_view* input_ = nullptr;  // while receive() runs
    std::string partial_;                // a message, as far as it has come
    std::optional<owned_message> ready_;
    frame_edges edges_;       // of what wslay has got
    std::string handed_out_;  // what the last message that was taken refers to
    message handed_{};
    std::string out_;
    closing closing_;
    std::uint64_t pongs_ = 0;
    kind partial_kind_ = kind::text;
    bool in_message_ = false;     // the frame that comes is one of a message
    bool is_compressed_ = false;  // that message
    bool out_of_memory_ = false;  // a part of a message was lost
    bool out_is_short_ = false;
    bool malformed_close_ = false;
    bool closed_ = false;
};

}  // namespace leat::websocket::detail
