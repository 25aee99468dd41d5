// SPDX-License-Identifier: MIT
// client_connection: one connection of the HTTP client: a stream and the parser of its answers. It sends a
// request, then gives the answer's head and the pieces of its body. The pool keeps it between requests.
// Invariant: an answer begins when the one before is complete; after an error, when a wait was cancelled
// inside an answer, or when a request was not sent whole, reusable() is false for ever. An answer is accepted
// only after its request was sent, or while its body is.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>
#include <leat/http/core/client_exchange.hpp>
#include <leat/http/core/parser.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http::detail {

class client_connection final : public client_exchange {
public:
    explicit client_connection(any_stream stream) : stream_(std::move(stream)) {}

    [[nodiscard]] task<> exchange(std::string_view method, byte_view request, parser_limits limits,
                                  time_point deadline) override;
    [[nodiscard]] task<> send(request_with_body asked) override;
    [[nodiscard]] task<> receive_head(time_point deadline) override;
    [[nodiscard]] task<std::string_view> read(time_point deadline) override;
    [[nodiscard]] response& head() noexcept override { return parser_.message(); }
    [[nodiscard]] http::headers& trailers() noexcept override { return parser_.message().trailers; }
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept override {
        return parser_.content_length();
    }
    [[nodiscard]] bool complete() const noexcept override { return parser_.complete(); }
    [[nodiscard]] std::uint64_t body_bytes() const noexcept override { return parser_.body_bytes(); }
    [[nodiscard]] std::optional<time_point> sent_at() const noexcept override { return sent_at_; }
    [[nodiscard]] any_stream& stream() noexcept override { return stream_; }
    [[nodiscard]] bool silent() const noexcept override { return silent_; }

    // For an idle connection: completes when it has become useless, because bytes came without a request, or
    // its end. Messages of TLS itself are read. Cancelled: nothing has come.
    [[nodiscard]] task<> watch();

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
    std::optional<time_point> sent_at_;
    bool silent_ = true;
    bool headed_ = false;   // the head of the answer has come
    bool sending_ = false;  // a request has been sent in part
    bool useless_ = false;
};

}  // namespace leat::http::detail
