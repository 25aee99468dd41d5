// SPDX-License-Identifier: MIT
// h2_stream: one request of an HTTP/2 connection, and its answer. h2_session makes and owns it; the handler
// of the request has it as request::connection.
// Invariant: while a handler runs it exists, whatever the client has done to it.
#pragma once

#include <leat/core/list.hpp>
#include <leat/http/core/server_deadlines.hpp>
#include <leat/http/message.hpp>
#include <leat/http/served_connection.hpp>
#include <leat/sync/event.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat {

class any_stream;
class cancel_scope;

}  // namespace leat

namespace leat::http::detail {

struct h2_stream final : list_link, served_connection {
    // Of a buffer that is empty, while another protocol is spoken.
    static constexpr std::size_t kept_max = 1024;

    h2_stream(std::int32_t number, served_connection& over) noexcept : id(number), client(over) {}
    ~h2_stream() = default;

    [[nodiscard]] std::optional<endpoint> remote_endpoint() const override {
        return client.remote_endpoint();
    }
    [[nodiscard]] std::optional<endpoint> local_endpoint() const override { return client.local_endpoint(); }
    [[nodiscard]] const tls::session* tls() const noexcept override { return client.tls(); }
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept override {
        return client.acknowledged();
    }
    // The client has reset the stream or ended its side of the connection, or that has failed.
    [[nodiscard]] task<> gone() override {
        while (open && !client_ended) {
            co_await changed.wait();
        }
    }

    // Its body is still to come, and wanted.
    [[nodiscard]] bool is_coming() const noexcept {
        return !whole && !is_left && !is_tunnel && refused_with == 0 && open;
    }
    // Somebody waits for more of it.
    [[nodiscard]] bool is_awaited() const noexcept { return is_coming() && (!is_read || awaited); }
    // Something of its answer is still to be given away: bytes, or the end behind them. The client holds up
    // either: nghttp2 sends also an end without bytes in a window only.
    [[nodiscard]] bool is_leaving() const noexcept {
        return open && !broken && (!pending.empty() || (ended && !has_left));
    }
    // Who waits for something of this stream looks again.
    void tell() noexcept {
        changed.set();
        changed.reset();
    }

    const std::int32_t id;
    served_connection& client;

    // The request.
    request asked;
    std::string protocol;          // that an extended CONNECT asks for
    std::string cookies;           // its Cookie fields as one (RFC 9113 8.2.3)
    std::size_t head_size = 0;     // as SETTINGS_MAX_HEADER_LIST_SIZE counts it
    std::size_t window_owed = 0;   // bytes of the body for which the client gets no window yet
    std::size_t body_counted = 0;  // of the bytes of it, among those that are coming
    int refused_with = 0;          // a status: no handler sees it
    headers trailers;              // until its body has been read to its end
    std::error_code trailers_failure;
    bool whole = false;  // all of it has come

    // Its body, where that is not collected: the handler reads it as it comes.
    std::string come;                        // and was not read yet: the client gets no window for that
    std::optional<std::uint64_t> body_size;  // as the client has said
    cancel_scope* reading = nullptr;         // of the handler
    bool is_read = false;
    bool is_tunnel = false;        // no body: the client asks for a protocol, whose bytes these are
    bool is_left = false;          // nobody reads any more
    bool awaited = false;          // the handler waits for more
    bool awaits_continue = false;  // the client sends nothing before "100 Continue"

    // The answer.
    std::string body;                             // of one that is given whole
    std::string_view pending;                     // what is to be sent next
    headers behind;                               // its trailers
    bool begun = false;                           // its head was given to nghttp2
    bool ended = false;                           // nothing comes behind `pending`
    bool broken = false;                          // a part of it is missing, and will be
    bool has_left = false;                        // its last frame was given away
    bool is_upgraded = false;                     // what is sent, and when, is the matter of another protocol
    std::function<task<>(any_stream&)> upgraded;  // which is this one

    bool open = true;           // nghttp2 has it
    bool client_ended = false;  // the client sends no more
    bool handled = false;       // a handler runs
    event changed;              // set for a moment when `pending`, `open` or `client_ended` has changed

    time_point body_since = never;  // its body began to come, less the time in which nobody waited for it
    time_point waited_until = never;
    progress_window leaving;  // while is_leaving()
};

}  // namespace leat::http::detail
