// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_exchange.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/http/core/outgoing_body.hpp>
#include <leat/http/error.hpp>
#include <leat/http/request_error.hpp>
#include <leat/race.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t request_slice_max = 64 * 1024;
// A connection that has brought nothing for so long while a request waited, until that was given up, may be
// dead: no further requests go on it.
constexpr duration suspicious_silence = std::chrono::seconds(1);

void throw_if_failed(const h2_client_stream& stream) {
    if (stream.failure) {
        throw request_error(stream.failure, stream.failure_text);
    }
}

}  // namespace

h2_exchange::~h2_exchange() {
    if (!stream_ || !stream_->open) {
        return;
    }
    connection_.session().abandon(*stream_);
    if (stream_->silent && after(std::max(begun_, connection_.heard_at()), suspicious_silence) <= now()) {
        connection_.retire();
    }
    connection_.flush();
}

// What has come on a connection without requests may be its end: it is read first, as far as it is there. A
// connection that has ended refuses the request.
task<> h2_exchange::look() {
    constexpr int turns = 2;  // in one it is received, in the other one taken
    for (int turn = 0; turn < turns && connection_.seats() == 1 && connection_.has_unread(); ++turn) {
        co_await yield();
    }
}

void h2_exchange::begin(std::string_view head, const parser_limits& limits, bool has_body) {
    begun_ = now();
    connection_.session().submit(stream_.emplace(limits), head, connection_.scheme(), has_body);
    connection_.flush();
}

task<> h2_exchange::exchange(std::string_view /*method*/, byte_view request, parser_limits limits,
                             time_point deadline) {
    co_await look();
    begin({reinterpret_cast<const char*>(request.data()), request.size()}, limits, false);
    co_await receive_head(deadline);
}

task<> h2_exchange::receive_head(time_point deadline) {
    while (!stream_->headed) {
        throw_if_failed(*stream_);
        co_await timeout_at(deadline, stream_->changed.wait());
    }
}

task<std::string_view> h2_exchange::read(time_point deadline) {
    connection_.session().give_window(*stream_);
    connection_.flush();
    while (stream_->received.empty()) {
        if (stream_->whole) {
            co_return std::string_view();
        }
        throw_if_failed(*stream_);
        co_await timeout_at(deadline, stream_->changed.wait());
    }
    piece_.clear();
    std::swap(piece_, stream_->received);
    stream_->unread = piece_.size();
    co_return piece_;
}

// The server has not said that it takes no more.
bool h2_exchange::wants_body() const noexcept {
    return stream_->open && !stream_->failure && !(stream_->headed && stream_->head.status >= 300);
}

task<> h2_exchange::send(request_with_body asked) {
    co_await look();
    const bool empty = asked.body.bytes() && asked.body.bytes()->empty();
    begin(asked.head, asked.limits, !empty);
    if (asked.await_continue) {
        (void)co_await move_on_after(*asked.await_continue, receive_word());
        if (!wants_body() || stream_->headed) {
            co_return;
        }
    }
    asked.body.begin();
    if (asked.body.bytes()) {
        (void)co_await put(*asked.body.bytes(), asked.send, /*last=*/true);
        co_return;
    }
    auto sending = send_body(asked.body, asked.send);
    auto receiving = receive_refusal();
    (void)co_await race(std::move(sending), std::move(receiving));
}

// Until the server has said that it wants the body, or that it does not.
task<> h2_exchange::receive_word() {
    while (wants_body() && !stream_->headed && !stream_->continued) {
        co_await stream_->changed.wait();
    }
}

// While the source of the body makes a piece.
task<> h2_exchange::receive_refusal() {
    while (wants_body()) {
        co_await stream_->changed.wait();
    }
}

task<> h2_exchange::send_body(outgoing_body& body, duration limit) {
    for (;;) {
        const std::string_view piece = co_await body.next();
        if (piece.empty()) {
            break;
        }
        if (!co_await put(piece, limit, /*last=*/false)) {
            co_return;
        }
    }
    connection_.session().finish(*stream_);
    connection_.flush();
}

// False: the server takes no more. The end of a body goes with its `last` piece, where that is known: it may
// fill the window of the server, and nghttp2 sends also an end without bytes in a window only.
task<bool> h2_exchange::put(std::string_view piece, duration limit, bool last) {
    while (!piece.empty() && wants_body()) {
        const std::string_view slice = piece.substr(0, request_slice_max);
        piece.remove_prefix(slice.size());
        try {
            co_await timeout(limit, taken(slice, last && piece.empty()));
        } catch (const timed_out& late) {
            throw request_error(late.code(), "the server took no more of the request for " +
                                                 leat::detail::duration_text(limit));
        }
    }
    co_return wants_body();
}

// A piece that is not taken whole is forgotten: it may be gone when this ends.
task<> h2_exchange::taken(std::string_view slice, bool last) {
    struct turn {
        explicit turn(h2_client_stream& of) noexcept : stream(of) {}
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn() {
            stream.ended = stream.ended && stream.pending.empty();
            stream.pending = {};
        }
        h2_client_stream& stream;
    };
    const turn given(*stream_);
    connection_.session().give(*stream_, slice, last);
    connection_.flush();
    while (!stream_->pending.empty() && wants_body()) {
        co_await stream_->changed.wait();
    }
}

}  // namespace leat::http::detail
