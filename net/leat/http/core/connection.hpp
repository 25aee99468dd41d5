// SPDX-License-Identifier: MIT
// client_connection: one connection of the HTTP client: a stream and the parser of its answers. It sends a
// request, then gives the answer's head and the pieces of its body. The pool keeps it between requests.
// Invariant: an answer begins when the one before is complete; after an error, when a wait was cancelled
// inside an answer, or when a request was not sent whole, reusable() is false for ever. An answer is accepted
// only after its request was sent, or while its body is.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>
#include <leat/http/core/parser.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

class outgoing_body;

// A request with a body.
struct request_with_body {
    std::string_view method;
    std::string_view head;
    outgoing_body& body;
    parser_limits limits;
    duration send;                           // for each 64 KiB of the body
    std::optional<duration> await_continue;  // before the body, for 100 Continue
};

class client_connection {
public:
    explicit client_connection(any_stream stream) : stream_(std::move(stream)) {}

    // Sends `request`, which lives until then, and receives the head of its answer. Throws request_error
    // saying what is wrong with the answer, errors of the stream, and timed_out after `deadline`.
    [[nodiscard]] task<> exchange(std::string_view method, byte_view request, parser_limits limits,
                                  time_point deadline);

    // Sends a request and its body, as far as the server takes it: an answer that refuses (from 300 on) ends
    // the sending, and so does a failing connection, because an answer may have come before that. Receives
    // meanwhile. What `asked` refers to lives until then. Throws as exchange() does, what the body throws,
    // and a request_error of errc::timed_out.
    [[nodiscard]] task<> send(request_with_body asked);
    // Then: receives the head of the answer, unless that has come.
    [[nodiscard]] task<> receive_head(time_point deadline);

    // The next piece of the body as it was sent; empty at its end. Good until the next call. Throws the same.
    [[nodiscard]] task<std::string_view> read(time_point deadline);

    // The head of the answer. It may be moved from.
    [[nodiscard]] response& head() noexcept { return parser_.message(); }
    [[nodiscard]] const response_parser& parser() const noexcept { return parser_; }

    // For an idle connection: completes when it has become useless, because bytes came without a request, or
    // its end. Messages of TLS itself are read. Cancelled: nothing has come.
    [[nodiscard]] task<> watch();

    // No byte of an answer has come since the request.
    [[nodiscard]] bool silent() const noexcept { return silent_; }
    // The request was sent whole and the answer is complete, and the connection can be used for another
    // request, as far as it was read.
    [[nodiscard]] bool reusable() const noexcept {
        return parser_.complete() && parser_.keep_alive() && rest_.empty() && !useless_ && !sending_;
    }
    // Nothing has come after the answer, not even an end, as far as the socket tells now.
    [[nodiscard]] bool is_quiet() const noexcept { return stream_.is_quiet(); }
    // Takes the stream out, after a CONNECT or a 101: from now on it is the tunnel, or speaks another
    // protocol. Bytes behind the answer come first. Throws std::bad_alloc.
    [[nodiscard]] any_stream take_stream();
    [[nodiscard]] bool has_unread_bytes() const noexcept { return !rest_.empty(); }

private:
    void begin(std::string_view method, parser_limits limits);
    [[nodiscard]] task<> send_body(const request_with_body& asked, std::string_view head);
    [[nodiscard]] task<bool> put(std::string_view first, std::string_view second, std::string_view third,
                                 duration limit);
    [[nodiscard]] task<> receive_refusal();
    [[nodiscard]] task<> receive_word();
    [[nodiscard]] task<progress> next_event(time_point deadline);
    [[nodiscard]] task<> receive(time_point deadline);
    [[nodiscard]] progress finish();
    [[noreturn]] void fail(std::error_code code) const;

    any_stream stream_;
    response_parser parser_;
    parser_limits limits_;
    chunk input_;
    std::string_view rest_;  // of input_
    bool silent_ = true;
    bool headed_ = false;   // the head of the answer has come
    bool sending_ = false;  // a request has been sent in part
    bool useless_ = false;
};

}  // namespace leat::http::detail
