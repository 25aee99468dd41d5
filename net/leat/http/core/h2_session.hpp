// SPDX-License-Identifier: MIT
// h2_session: one HTTP/2 connection of a server without its I/O (RFC 9113), on nghttp2: it makes requests of
// received bytes, and bytes of answers. h2_connection sends and receives.
//
// Windows: the client may send one window of each body at first (65,535 bytes); it gets more as these bytes
// are taken. A handler that reads its request's body takes them; one that does not holds up its own stream
// only, for the window of the connection is given back at once: so what waits in memory is a window for each
// stream. Bodies that are collected are taken at once; when those of one connection that are not whole yet
// come to bodies_max, only the oldest one goes on, so that it ends.
// Answers are sent in turns, a frame of each; priorities are ignored.
// A client may ask for a protocol on a stream (extended CONNECT, RFC 8441). Handlers see that as they do in
// HTTP/1: as a GET with the field Upgrade, which an answer of status 101 agrees to. On the wire that is 200;
// so another answer of status 2xx, of a handler that did not see to it, becomes 501.
// What ends the connection is said by a GOAWAY: for a peer that floods (h2_budget) ENHANCE_YOUR_CALM.
// Invariant: a stream that was given to a handler lives until handler_ended().
#pragma once

#include <leat/core/list.hpp>
#include <leat/http/core/h2_budget.hpp>
#include <leat/http/core/h2_frames.hpp>
#include <leat/http/core/h2_memory.hpp>
#include <leat/http/core/h2_stream.hpp>
#include <leat/http/message.hpp>
#include <leat/http/server_limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace leat::http::detail {

// Why a stream or a connection ends (RFC 9113 7).
enum class h2_error : std::uint32_t {
    none = 0,
    protocol_error = 1,
    internal_error = 2,
    stream_closed = 5,
    refused_stream = 7,
    cancel = 8,
    enhance_your_calm = 11,
};

class h2_session {
public:
    // `limits` and `client` outlive it. `reads`: the handlers read the bodies of their requests, which are
    // not collected. Throws std::bad_alloc.
    h2_session(const server_limits& limits, served_connection& client, time_point now, bool reads = false);
    h2_session(const h2_session&) = delete;
    h2_session& operator=(const h2_session&) = delete;
    ~h2_session();

    // Takes bytes of the peer. When they are wrong, or there is no memory, a GOAWAY is to be sent and
    // failed() is true from then on.
    void receive(std::span<const std::byte> input, time_point now) noexcept;
    // The peer sends no more: requests that are not whole, and that no handler has, are gone; the others are
    // answered, as far as the windows that it has given go. What is left of answers when write() has nothing
    // more goes nowhere.
    void end_of_input() noexcept;
    void drop_blocked() noexcept;
    // The connection has failed: all streams are gone.
    void lose() noexcept;
    // The next request that is whole, or whose handler reads the rest; null when there is none. Its handler
    // is to run.
    [[nodiscard]] h2_stream* take_request() noexcept;
    // The bytes of the body that have come, in place of those in `into`: the client may send as many more.
    void take_body(h2_stream& stream, std::string& into) noexcept;
    // No more of it is wanted.
    void leave_body(h2_stream& stream) noexcept;
    // The handler waits for more of the body, which the client is told if it waits for that. Throws
    // std::bad_alloc. And that is over.
    void await_body(h2_stream& stream, time_point now);
    void end_wait(h2_stream& stream, time_point now) noexcept;
    // What the handler has not answered is cut off. The stream may be gone then.
    void handler_ended(h2_stream& stream) noexcept;

    // The answer, whole; one that upgrades has the stream for itself from then on, by give() and take_body(),
    // and h2_stream::upgraded. Throws std::invalid_argument for one that cannot be, and std::bad_alloc;
    // nothing has happened then. An answer to a stream that is gone, or that the server itself has answered,
    // goes nowhere.
    void answer(h2_stream& stream, response& made, time_point now);
    // The head of an answer whose body is given as `pending`, and ends as finish() says. Gives how long it
    // says that the body is, if it does. The same errors. When there can be no body the answer has `ended`.
    [[nodiscard]] std::optional<std::uint64_t> begin(h2_stream& stream, const response& made);
    // A piece of the body, which lives until `pending` is empty.
    void give(h2_stream& stream, std::string_view piece, time_point now) noexcept;
    // Throws std::invalid_argument for trailers that are too long.
    void finish(h2_stream& stream, time_point now, headers trailers = {});
    // An answer of status 1xx before the answer. The errors of answer().
    void interim(h2_stream& stream, int status, const headers& fields);
    // The handler has failed: the answer is one of `status`, or it ends here.
    void fail(h2_stream& stream, int status) noexcept;
    // Ends a stream early.
    void reset(h2_stream& stream, h2_error why) noexcept;

    // Appends what is to be sent to `out`, as long as that is shorter than `most`. Throws std::bad_alloc, and
    // failed() is true then.
    void write(std::string& out, std::size_t most, time_point now);
    // Frames that wait for write(), without those of bodies.
    [[nodiscard]] std::size_t queued() const noexcept;

    // Says that no further requests are taken. Those that the client has sent before it hears that are, for
    // one round trip, or as long as end_late() says; then the client is told which one was the last (RFC 9113
    // 6.8). What has begun goes on.
    void go_away(time_point now) noexcept;
    // The connection ends, once that has been said.
    void terminate(h2_error why) noexcept;
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    // All has been said: nothing comes, and nothing is to be sent.
    [[nodiscard]] bool finished() const noexcept;

    // No request is there, in whatever state.
    [[nodiscard]] bool idle() const noexcept { return streams_.empty() && ready_.empty(); }
    // Since when the head of a request is coming; `never` when none is.
    [[nodiscard]] time_point head_since() const noexcept { return head_since_; }
    // Ends the streams whose time is over: late bodies are answered with 408, and handlers that wait for them
    // cancelled; an answer for which the client gives no window is cut off. Gives when to look again. (The
    // order in which a client sends its bodies is its own matter: they are late when none of them gets on.)
    [[nodiscard]] time_point end_late(time_point now) noexcept;

private:
    struct callbacks;
    class field_block;

    [[nodiscard]] h2_stream* find(std::int32_t id) const noexcept;
    void feed(std::span<const std::byte> input) noexcept;
    [[nodiscard]] h2_error judge(const h2_frame_head& head) noexcept;
    void refuse_further() noexcept;
    [[nodiscard]] bool may_be_closed(const h2_frame_head& head) const noexcept;
    [[nodiscard]] bool is_closed(const h2_frame_head& head) const noexcept;
    void note_reset(std::int32_t id) noexcept;
    void begin_stream(std::int32_t id);
    void add_field(h2_stream& stream, std::string_view name, std::string_view value);
    void add_trailer(h2_stream& stream, std::string_view name, std::string_view value);
    void end_head(h2_stream& stream, bool last);
    void begin_body(h2_stream& stream);
    void end_request(h2_stream& stream);
    void offer(h2_stream& stream) noexcept;
    void note_body(std::size_t bytes) noexcept;
    void end_late_body(h2_stream& stream) noexcept;
    void add_body(h2_stream& stream, std::string_view piece);
    void give_window(h2_stream& stream, std::size_t bytes) noexcept;
    void give_window_in_turn(h2_stream& stream, std::size_t bytes) noexcept;
    void give_owed_windows() noexcept;
    void drop_request(h2_stream& stream) noexcept;
    void free_body(h2_stream& stream) noexcept;
    void uncount_body(h2_stream& stream) noexcept;
    void refuse(h2_stream& stream, int status);
    void refuse_or_reset(h2_stream& stream, int status, h2_error why) noexcept;
    void close(h2_stream& stream) noexcept;
    void forget(h2_stream& stream) noexcept;
    void read_protocol(h2_stream& stream);
    void upgrade(h2_stream& stream, response& made);
    void submit(h2_stream& stream, field_block& head, bool has_body);
    [[nodiscard]] int submit_trailers(h2_stream& stream) noexcept;
    void resume(h2_stream& stream) noexcept;
    [[nodiscard]] bool has_window(const h2_stream& stream) const noexcept;
    void fail(int outcome) noexcept;
    template <typename Each>
    void for_each(Each each) noexcept;

    const server_limits& limits_;
    served_connection& client_;
    h2_memory memory_;
    nghttp2_session* session_ = nullptr;
    list<h2_stream> streams_;     // all but those that are ready
    list<h2_stream> ready_;       // requests that are not given to a handler yet, and can be
    std::size_t count_ = 0;       // streams of both lists
    std::size_t bodies_ = 0;      // bytes of requests' bodies that are coming, and collected
    std::string* out_ = nullptr;  // while write() runs
    std::size_t out_max_ = 0;
    h2_frame_scan scan_;
    h2_budget budget_;
    progress_window coming_;    // while bodies are waited for, whichever
    std::size_t awaiting_ = 0;  // handlers that wait for more of theirs
    bool reads_;
    time_point now_;
    time_point head_since_ = never;
    std::uint32_t block_frames_ = 0;         // of the head that is coming
    std::int32_t last_begun_ = 0;            // the highest stream of a HEADERS frame
    std::array<std::int32_t, 16> resets_{};  // streams that this side has reset, the last of them
    std::size_t next_reset_ = 0;
    time_point refuse_at_ = never;  // further requests, of a client that does not answer go_away()
    bool goes_away_ = false;        // they are refused
    bool out_of_memory_ = false;
    bool failed_ = false;
};

}  // namespace leat::http::detail
