// SPDX-License-Identifier: MIT
// client_connection: one connection of the HTTP client: a stream and the parser of its answers. It sends a
// request, then gives the answer's head and the pieces of its body. The pool keeps it between requests.
// Invariant: an answer begins when the one before is complete; after an error, or when a wait was cancelled
// inside an answer, reusable() is false for ever. An answer is accepted only after its request was sent.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>
#include <leat/http/core/parser.hpp>

#include <string>
#include <string_view>

namespace leat::http::detail {

class client_connection {
public:
    explicit client_connection(any_stream stream) : stream_(std::move(stream)) {}

    // Sends `request`, which lives until then, and receives the head of its answer. Throws request_error
    // saying what is wrong with the answer, errors of the stream, and timed_out after `deadline`.
    [[nodiscard]] task<> exchange(std::string_view method, byte_view request, parser_limits limits,
                                  time_point deadline);

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
    // The answer is complete, and the connection can be used for another request, as far as it was read.
    [[nodiscard]] bool reusable() const noexcept {
        return parser_.complete() && parser_.keep_alive() && rest_.empty() && !useless_;
    }
    // Nothing has come after the answer, not even an end, as far as the socket tells now.
    [[nodiscard]] bool is_quiet() const noexcept { return stream_.is_quiet(); }
    // Takes the stream out, after a CONNECT: from now on it is the tunnel.
    [[nodiscard]] any_stream take_stream() noexcept { return std::move(stream_); }
    [[nodiscard]] bool has_unread_bytes() const noexcept { return !rest_.empty(); }

private:
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
    bool useless_ = false;
};

}  // namespace leat::http::detail
