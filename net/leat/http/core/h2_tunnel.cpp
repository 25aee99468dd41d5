// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_tunnel.hpp>

#include <leat/check.hpp>
#include <leat/stream.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t frame_max = 16 * 1024;

[[noreturn]] void give_up(std::error_code why, const char* what) {
    throw std::system_error(why, what);
}

}  // namespace

// At least one byte in rest(), unless the client has ended.
task<> h2_connection::tunnel::wait_for_bytes() {
    static constexpr const char* what = "recv from a stream of HTTP/2";
    if (closed_) {
        give_up(stream_errc::closed, what);
    }
    while (rest().empty()) {
        if (closed_) {
            give_up(std::make_error_code(std::errc::operation_canceled), what);
        }
        if (!stream_->come.empty()) {
            connection_->session_.take_body(*stream_, taken_);
            connection_->wanted_.set();
            at_ = 0;
        } else if (stream_->whole || stream_->client_ended) {
            break;
        } else if (!stream_->open) {
            give_up(std::make_error_code(std::errc::connection_reset), what);
        } else {
            co_await stream_->changed.wait();
        }
    }
}

void h2_connection::tunnel::forget_taken() noexcept {
    if (rest().empty()) {
        at_ = 0;
        taken_.clear();
        if (taken_.capacity() > h2_stream::kept_max) {
            std::string().swap(taken_);
        }
    }
}

task<std::size_t> h2_connection::tunnel::recv(byte_buffer into) {
    leat::detail::check_room(into.size());
    co_await wait_for_bytes();
    const std::size_t size = rest().copy(reinterpret_cast<char*>(into.data()), into.size());
    at_ += size;
    forget_taken();
    co_return size;
}

task<> h2_connection::tunnel::recv_exactly(byte_buffer into) {
    for (std::span<std::byte> room = into; !room.empty();) {
        const std::size_t size = co_await recv(room);
        if (size == 0) {
            throw leat::detail::cut_short(stream_errc::end_of_stream, "recv from a stream of HTTP/2",
                                          into.size() - room.size(), into.size());
        }
        room = room.subspan(size);
    }
}

task<chunk> h2_connection::tunnel::recv_chunk() {
    co_await wait_for_bytes();
    if (rest().empty()) {
        co_return chunk();
    }
    chunk made = copied_chunk(std::as_bytes(std::span(rest())));
    at_ = taken_.size();
    forget_taken();
    co_return made;
}

void h2_connection::tunnel::unread(chunk&& bytes) {
    if (closed_) {
        give_up(stream_errc::closed, "unread");
    }
    taken_.replace(0, at_, bytes.text());
    at_ = 0;
    bytes.reset();
}

// An operation that waits as the stream is closed is cancelled.
void h2_connection::tunnel::require_sending(bool began) const {
    static constexpr const char* what = "send to a stream of HTTP/2";
    if (closed_ && began) {
        give_up(std::make_error_code(std::errc::operation_canceled), what);
    }
    if (closed_ || shut_down_) {
        give_up(stream_errc::closed, what);
    }
    if (broken_) {
        give_up(stream_errc::broken, what);
    }
    if (!stream_->open || stream_->broken) {
        give_up(std::make_error_code(std::errc::connection_reset), what);
    }
}

task<std::size_t> h2_connection::tunnel::send(byte_view from) {
    require_sending(/*began=*/false);
    while (!stream_->pending.empty()) {
        co_await stream_->changed.wait();
        require_sending(/*began=*/true);
    }
    const std::size_t size = std::min(from.size(), frame_max);
    if (size > 0) {
        stream_->body.assign(reinterpret_cast<const char*>(from.data()), size);
        connection_->session_.give(*stream_, stream_->body, now());
        connection_->wanted_.set();
    }
    co_return size;
}

// While the pieces of one send_all leave: a part of them makes no sense to the peer.
struct h2_connection::tunnel::sending {
    explicit sending(tunnel& of) noexcept : from(of) {}
    sending(const sending&) = delete;
    sending& operator=(const sending&) = delete;
    ~sending() { from.broken_ |= begun && !ended; }
    tunnel& from;
    bool begun = false;
    bool ended = false;
};

task<> h2_connection::tunnel::send_pieces(pieces all) {
    sending state(*this);
    for (std::span<const std::byte> rest : all) {
        while (!rest.empty()) {
            rest = rest.subspan(co_await send(rest));
            state.begun = true;
        }
    }
    state.ended = true;
}

void h2_connection::tunnel::shutdown_send() noexcept {
    if (!std::exchange(shut_down_, true) && stream_->open && !stream_->broken) {
        connection_->session_.finish(*stream_, now());
        connection_->wanted_.set();
    }
}

void h2_connection::tunnel::close() noexcept {
    if (!std::exchange(closed_, true)) {
        shutdown_send();
        connection_->session_.leave_body(*stream_);
        stream_->tell();
    }
}

void h2_connection::tunnel::reset() noexcept {
    if (!std::exchange(closed_, true)) {
        shut_down_ = true;
        connection_->session_.leave_body(*stream_);
        connection_->session_.reset(*stream_, h2_error::cancel);
        connection_->wanted_.set();
    }
}

}  // namespace leat::http::detail
