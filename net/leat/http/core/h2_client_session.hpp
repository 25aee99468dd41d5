// SPDX-License-Identifier: MIT
// h2_client_session: one HTTP/2 connection of a client without its I/O (RFC 9113), on nghttp2: it makes bytes
// of requests, and answers of received bytes. h2_client_connection sends and receives.
//
// Windows: each answer may have `window` bytes in memory that its reader has not taken; the server gets more
// as they are taken. That of the connection is given back at once, so a reader that pauses holds up nobody.
// Pushes are refused; priorities are not sent. What the server may send that asks for work and brings nothing
// is bounded (h2_budget).
// Invariant: a stream is open from submit() until abandon(), or until it has ended, or the session has.
#pragma once

#include <leat/core/list.hpp>
#include <leat/http/core/h2_budget.hpp>
#include <leat/http/core/h2_client_stream.hpp>
#include <leat/http/core/h2_frames.hpp>
#include <leat/http/core/h2_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

class h2_client_session {
public:
    static constexpr std::uint32_t window = 1024 * 1024;

    // Throws std::bad_alloc.
    explicit h2_client_session(time_point now);
    h2_client_session(const h2_client_session&) = delete;
    h2_client_session& operator=(const h2_client_session&) = delete;
    ~h2_client_session();

    // Begins a request with the head `text`, as HTTP/1.1 has it, which is our own and well-formed. Its body,
    // if it has one, is given as `pending`. Throws std::bad_alloc, and request_error for a head that is too
    // long, or when the session takes no further requests; nothing has happened then.
    void submit(h2_client_stream& stream, std::string_view text, std::string_view scheme, bool has_body);
    // A piece of the body, which lives until `pending` is empty, and may be the last; and the end.
    void give(h2_client_stream& stream, std::string_view piece, bool last) noexcept;
    void finish(h2_client_stream& stream) noexcept;
    // What was received of the body is taken: the server may send as much again.
    void give_window(h2_client_stream& stream) noexcept;
    // Nobody wants it any more: what has not come of it is cancelled.
    void abandon(h2_client_stream& stream) noexcept;

    // Takes bytes of the server. When they are wrong, or there is no memory, a GOAWAY is to be sent and
    // failed() is true from then on.
    void receive(std::span<const std::byte> input, time_point now) noexcept;
    // The connection has ended: all streams have, and those whose answers are not whole have failed, with
    // `code` unless the server has said why.
    void lose(std::error_code code, const std::string& why) noexcept;

    // Appends what is to be sent to `out`, as long as that is shorter than `most`. Throws std::bad_alloc.
    void write(std::string& out, std::size_t most, time_point now);
    // Frames that wait for write(), without those of bodies.
    [[nodiscard]] std::size_t queued() const noexcept;

    // How many requests the server takes at once.
    [[nodiscard]] std::size_t streams_max() const noexcept;
    // Further requests are refused: the server has said so, numbers are used up, or the session has failed.
    [[nodiscard]] bool closing() const noexcept;
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    // All has been said: nothing comes, and nothing is to be sent.
    [[nodiscard]] bool finished() const noexcept;

private:
    struct callbacks;
    class request_head;
    struct fault {
        std::uint32_t code = 0;
        const char* text = nullptr;  // null: there is none
    };

    [[nodiscard]] h2_client_stream* find(std::int32_t id) const noexcept;
    void take_preface_out() noexcept;
    void feed(std::span<const std::byte> input) noexcept;
    [[nodiscard]] fault judge(const h2_frame_head& head) noexcept;
    void terminate(std::uint32_t why, std::string_view text) noexcept;
    void add_field(h2_client_stream& stream, std::string_view name, std::string_view value);
    void end_head(h2_client_stream& stream) noexcept;
    void resume(h2_client_stream& stream) noexcept;
    [[nodiscard]] std::string what_is_wrong() const;
    void fail_cut_off(h2_client_stream& stream, std::error_code code, const std::string& why);
    void close(h2_client_stream& stream, std::uint32_t why) noexcept;
    void reset(h2_client_stream& stream, std::uint32_t why) noexcept;

    h2_memory memory_;
    nghttp2_session* session_ = nullptr;
    list<h2_client_stream> streams_;  // those that are open
    std::string* out_ = nullptr;      // while write() runs
    std::size_t out_max_ = 0;
    h2_frame_scan scan_{0};
    h2_budget budget_;
    time_point now_;
    std::size_t block_frames_ = 0;      // of the head that is coming
    std::size_t block_frames_max_ = 8;  // CONTINUATION frames: as many as the heads may be long
    std::uint32_t ended_with_ = 0;      // the code of the server's GOAWAY
    std::int32_t reset_by_server_ = 0;  // the stream whose RST_STREAM is being taken
    std::string wrong_;                 // what the server has done, if that ends the connection
    bool begun_ = false;                // the preface has been written
    bool speaks_ = false;               // HTTP/2: its settings have come
    bool goes_away_ = false;
    bool failed_ = false;
    bool over_ = false;
};

}  // namespace leat::http::detail
