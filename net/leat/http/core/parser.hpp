// SPDX-License-Identifier: MIT
// request_parser and response_parser: HTTP/1.0 and 1.1 messages out of bytes, with no I/O of their own. The
// client and the server pull events out of whatever arrived:
//
//     response_parser parser;
//     parser.start("GET");
//     while (...) {
//         progress step = parser.next(bytes).value(url);     // takes bytes off the front of `bytes`
//         more: receive again   head: parser.message()   body: parser.body()   end: the rest is not its own
//     }
//
// The head is copied once, into message(), and so are its trailers; the body is never copied. A
// parser is reused for all messages of its connection, after which it allocates nothing. How the input is
// split never changes the events. Invariant: an error is final and repeated for ever; the connection it came
// from can only be closed.
//
// There are two policies (strictness.hpp). Requests are read strictly: what RFC 9110 and 9112 do not allow is
// refused, and all a server has to know is the error. Responses are read leniently, unless asked otherwise,
// as curl, Python, node and Go do: line feeds alone, folded fields, blanks before a colon or behind a chunk's
// size, fields whose name is no token (dropped), control characters (read as a space), one length said
// several times, Transfer-Encoding: identity, anything in chunk extensions and trailers (of which what is no
// field on one line is dropped). Where those readers differ about the end of a response, its connection does
// not persist. Refused even in responses:
//   * different lengths, and one that is no plain number below 2^64 (a sign, 0x, blanks inside, nothing);
//   * transfer codings other than chunked and identity, and control characters in a field that gives a
//   length;
//   * a chunk's size that is no plain hexadecimal number below 2^60, and data that is longer than its size;
//   * a zero byte in a head, a line without a colon, a folded line before any field;
//   * a status that is not three digits from 100 to 999, a version other than HTTP/1.x;
//   * an end of the connection before the end of the message.
#pragma once

#include <leat/http/core/chunked_body.hpp>
#include <leat/http/core/framing.hpp>
#include <leat/http/core/head_scan.hpp>
#include <leat/http/core/strictness.hpp>
#include <leat/http/error.hpp>
#include <leat/http/message.hpp>
#include <leat/result.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

struct parser_limits {
    std::size_t head_bytes = 64 * 1024;  // start line and fields; also the trailers, on their own
    std::size_t fields = 256;
    std::uint64_t body_bytes = std::numeric_limits<std::uint64_t>::max();  // as sent, before decoding
};

// What next() found at the front of its input.
enum class progress : std::uint8_t {
    more,     // nothing yet: the input is used up
    interim,  // a 1xx response, in message(); the response itself is still to come
    head,     // the head of the message, in message()
    body,     // a piece of the body, in body()
    end,      // the message is complete; input that is left belongs to what comes next
};

template <typename Message>
class message_parser {
public:
    explicit message_parser(parser_limits limits = {}) noexcept : limits_(limits) {}
    message_parser(parser_limits limits, strictness how) noexcept
        requires std::same_as<Message, response>
        : limits_(limits), how_(how) {}

    // Begins the next message. Misuse unless the one before is complete or none has begun.
    void start()
        requires std::same_as<Message, request>;
    // The same; `method` is that of the request which the response will answer.
    void start(std::string_view method)
        requires std::same_as<Message, response>;

    // Goes on until the next event. After `end` it returns `end` again and takes nothing.
    [[nodiscard]] result<progress> next(std::string_view& input);

    // The peer has sent its last byte: `end` when that ends the message too (or it had ended before);
    // otherwise no_message, truncated_head or truncated_body.
    [[nodiscard]] result<progress> finish();

    // The head: whole from `head` (or `interim`) on. It may be moved from once `head` was seen.
    [[nodiscard]] Message& message() noexcept { return message_; }
    [[nodiscard]] const Message& message() const noexcept { return message_; }

    // The piece found last: a view into the bytes given to next().
    [[nodiscard]] std::string_view body() const noexcept { return piece_; }
    // The bytes of body found so far, as sent.
    [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

    // No byte of a message has come since start(): a connection that closes now loses nothing.
    [[nodiscard]] bool idle() const noexcept {
        return state_ == state::head && partial_.size() == scan_.head_begin && interims_ == 0;
    }
    [[nodiscard]] bool complete() const noexcept { return state_ == state::complete; }

    // From `head` on: the Content-Length, whether a body follows, and whether the connection can be used
    // again after `end`.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept {
        return fields_.content_length;
    }
    [[nodiscard]] bool has_body() const noexcept { return body_ != body_kind::none; }
    // How many bytes of the body are still to come, if the Content-Length says so.
    [[nodiscard]] std::optional<std::uint64_t> body_left() const noexcept {
        return body_ == body_kind::counted ? std::optional(left_) : std::nullopt;
    }
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
    // Its sender has said that nothing comes behind it, and all of it has come.
    [[nodiscard]] bool is_last() const noexcept { return complete() && !fields_.persists(message_.version); }
    // A request asks for, or a response begins, another protocol behind `end` (CONNECT, Upgrade).
    [[nodiscard]] bool upgrade() const noexcept { return upgrade_; }

private:
    enum class state : std::uint8_t { head, interim, body, complete, failed };
    enum class body_kind : std::uint8_t { none, counted, chunked, until_close };

    void begin();
    result<progress> next_head(std::string_view& input);
    result<progress> next_body(std::string_view& input);
    result<std::string_view> next_of_chunks(std::string_view& input);
    std::error_code take_trailers();
    void drop_partial() noexcept;
    std::error_code scan_error(head_scan::outcome outcome, std::string_view text) const noexcept;
    result<progress> take_head(std::string_view head, bool clean);
    std::error_code read(std::string_view head);
    std::error_code read_repaired(std::string_view head);
    std::error_code take_target();
    std::error_code plan_body();
    body_kind body_of_message() const noexcept;
    std::error_code fail(std::error_code failure) noexcept;

    Message message_;
    parser_limits limits_;
    std::string partial_;  // a head that came in pieces, so far; behind a body its trailers
    head_scan scan_;
    chunked_body chunks_;
    framing_fields fields_;
    std::string_view piece_;
    std::uint64_t left_ = 0;  // of a counted body
    std::uint64_t body_bytes_ = 0;
    std::error_code error_;
    strictness how_ = std::same_as<Message, response> ? strictness::lenient : strictness::strict;
    state state_ = state::head;
    body_kind body_ = body_kind::none;
    std::uint8_t interims_ = 0;
    bool doubtful_ = false;  // other readers may see another end of this message
    bool keep_alive_ = false;
    bool upgrade_ = false;
    bool asked_head_ = false;     // the request was HEAD
    bool asked_connect_ = false;  // the request was CONNECT
};

using request_parser = message_parser<request>;
using response_parser = message_parser<response>;

extern template class message_parser<request>;
extern template class message_parser<response>;

}  // namespace leat::http::detail
