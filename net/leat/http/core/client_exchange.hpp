// SPDX-License-Identifier: MIT
// client_exchange: one request of the HTTP client and its answer, on a connection of whatever version of
// HTTP. client_connection is that of HTTP/1.1, and has them one after the other; h2_exchange is one stream of
// HTTP/2. The client and response_stream know no more than this. Internal.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/bytes.hpp>
#include <leat/clock.hpp>
#include <leat/http/core/parser.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/message.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
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

class client_exchange {
public:
    client_exchange(const client_exchange&) = delete;
    client_exchange& operator=(const client_exchange&) = delete;
    virtual ~client_exchange() = default;

    // Sends `request`, the head as HTTP/1.1 has it, which lives until then, and receives the head of its
    // answer. Throws request_error saying what is wrong with the answer, errors of the stream, and timed_out
    // after `deadline`.
    [[nodiscard]] virtual task<> exchange(std::string_view method, byte_view request, parser_limits limits,
                                          time_point deadline) = 0;

    // Sends a request and its body, as far as the server takes it: an answer that refuses (from 300 on) ends
    // the sending, and so does a failing connection, because an answer may have come before that. Receives
    // meanwhile. What `asked` refers to lives until then. Throws as exchange() does, what the body throws,
    // and a request_error of errc::timed_out.
    [[nodiscard]] virtual task<> send(request_with_body asked) = 0;
    // Then: receives the head of the answer, unless that has come.
    [[nodiscard]] virtual task<> receive_head(time_point deadline) = 0;

    // The next piece of the body as it was sent; empty at its end. Good until the next call. Throws the same.
    [[nodiscard]] virtual task<std::string_view> read(time_point deadline) = 0;

    // The head of the answer; and, once that is complete, what came behind its body. They may be moved from.
    [[nodiscard]] virtual response& head() noexcept = 0;
    [[nodiscard]] virtual http::headers& trailers() noexcept = 0;
    // Once that has come: its Content-Length; whether all of the answer has been read; the bytes of body that
    // have come, as sent.
    [[nodiscard]] virtual std::optional<std::uint64_t> content_length() const noexcept = 0;
    [[nodiscard]] virtual bool complete() const noexcept = 0;
    [[nodiscard]] virtual std::uint64_t body_bytes() const noexcept = 0;

    // When all of the request had been sent; nothing: it was not yet, or the answer ended that.
    [[nodiscard]] virtual std::optional<time_point> sent_at() const noexcept = 0;
    // What it goes over: to be asked about, no more.
    [[nodiscard]] virtual any_stream& stream() noexcept = 0;

    // Nothing that answers the request has come since it was sent.
    [[nodiscard]] virtual bool silent() const noexcept = 0;
    // The server has said that it did nothing for the request, or it never left: it may be sent again,
    // whatever its method.
    [[nodiscard]] virtual bool refused() const noexcept { return false; }

protected:
    client_exchange() noexcept = default;
};

}  // namespace leat::http::detail
