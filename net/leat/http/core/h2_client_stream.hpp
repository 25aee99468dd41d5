// SPDX-License-Identifier: MIT
// h2_client_stream: one request of the HTTP client on a connection of HTTP/2, and its answer. An h2_exchange
// owns it; h2_client_session knows it from the request on until it is abandoned, or the connection has ended.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/list.hpp>
#include <leat/http/core/parser.hpp>
#include <leat/http/message.hpp>
#include <leat/sync/event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

struct h2_client_stream final : list_link {
    explicit h2_client_stream(const parser_limits& allowed) noexcept : limits(allowed) {}

    // Who waits for something of this stream looks again.
    void tell() noexcept {
        changed.set();
        changed.reset();
    }
    // Nothing more comes, and nothing more can be sent.
    void fail(std::error_code code, std::string why) noexcept {
        if (!failure && !whole) {
            failure = code;
            failure_text = std::move(why);
        }
        pending = {};
        tell();
    }

    const parser_limits limits;
    std::int32_t id = 0;
    bool open = false;  // nghttp2 has it, or will have it
    event changed;      // set for a moment when anything below, or `open`, has changed

    // The request.
    bool sent_head = false;
    std::string_view pending;           // of its body: what is to be sent next
    bool ended = false;                 // nothing comes behind `pending`
    std::optional<time_point> sent_at;  // all of it

    // The answer.
    response head;
    std::size_t head_size = 0;            // as SETTINGS_MAX_HEADER_LIST_SIZE counts it
    int interims = 0;                     // heads with 1xx
    bool silent = true;                   // nothing of it has come, nor a reset that says why
    bool continued = false;               // 100 has come
    bool headed = false;                  // the head has come
    std::optional<std::uint64_t> length;  // as its Content-Length says
    std::uint64_t body_bytes = 0;
    std::string received;     // of the body, and not taken yet
    std::size_t unread = 0;   // bytes of the body for which the server gets no window yet
    headers trailers;         // behind the body
    bool whole = false;       // all of it has come
    bool refused = false;     // the server has done nothing for the request
    std::error_code failure;  // nothing comes behind `received`
    std::string failure_text;
};

}  // namespace leat::http::detail
