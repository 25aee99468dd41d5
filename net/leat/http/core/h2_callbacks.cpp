// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_callbacks.hpp>

#include <leat/http/error.hpp>

#include <algorithm>
#include <array>
#include <new>

namespace leat::http::detail {
namespace {

// A head that is so many times as long as allowed is not read to its end.
constexpr std::size_t hopeless = 4;
// What a DATA frame of an answer earns: the client may give windows for the stream and the connection, and
// measure the time of a round trip.
constexpr std::int64_t earned_by_data = 3;

// What a ping behind the first GOAWAY says: its answer shows that the client has read that.
constexpr std::array<std::uint8_t, 8> farewell{'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'};

bool is_farewell(const nghttp2_ping& ping) noexcept {
    return (ping.hd.flags & NGHTTP2_FLAG_ACK) != 0 && std::ranges::equal(ping.opaque_data, farewell);
}

h2_session& self_of(void* user_data) noexcept {
    return *static_cast<h2_session*>(user_data);
}

}  // namespace

// A handler may run behind a reset: the client gets no further one meanwhile. What comes before a GOAWAY has
// left is no part of what that says is answered. Of a head that is refused nghttp2 does not tell the end.
int h2_session::callbacks::begin_headers(nghttp2_session* session, const nghttp2_frame* frame,
                                         void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        self.head_since_ = self.now_;
        if (h2_stream* const stream = self.find(frame->hd.stream_id)) {
            stream->head_size = 0;
        }
        return 0;
    }
    const std::int32_t id = frame->hd.stream_id;
    if (self.goes_away_ || self.count_ >= self.limits_.streams) {
        const int outcome = nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return outcome == 0 ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : outcome;
    }
    try {
        self.begin_stream(id);
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    self.head_since_ = self.now_;
    return 0;
}

int h2_session::callbacks::take_field(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                      const std::uint8_t* name, std::size_t name_size,
                                      const std::uint8_t* value, std::size_t value_size,
                                      std::uint8_t /*flags*/, void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    h2_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) {
        return 0;
    }
    stream->head_size += name_size + value_size + 32;
    const bool is_trailer = frame->headers.cat != NGHTTP2_HCAT_REQUEST;
    if (stream->head_size > self.limits_.header_bytes) {
        if (is_trailer) {
            stream->trailers_failure = error::trailers_too_large;
        }
        return stream->head_size / hopeless > self.limits_.header_bytes ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }
    try {
        if (is_trailer) {
            self.add_trailer(*stream, view_of(name, name_size), view_of(value, value_size));
        } else {
            self.add_field(*stream, view_of(name, name_size), view_of(value, value_size));
        }
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

int h2_session::callbacks::take_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                      void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->hd.type == NGHTTP2_PING && is_farewell(frame->ping) && self.refuse_at_ != never) {
        self.refuse_further();
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS) {
        self.head_since_ = never;
    }
    h2_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) {
        return 0;
    }
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    try {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            self.end_head(*stream, last);
        }
        if (last) {
            self.end_request(*stream);
        }
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

// nghttp2 resets the stream, or ends the connection.
int h2_session::callbacks::take_invalid(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                        int /*error*/, void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->hd.type == NGHTTP2_HEADERS) {
        self.head_since_ = never;
    }
    self.note_reset(frame->hd.stream_id);
    return self.budget_.spend(3, self.now_) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

int h2_session::callbacks::take_body(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                                     const std::uint8_t* bytes, std::size_t size, void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (const int outcome = nghttp2_session_consume_connection(session, size); outcome != 0) {
        return outcome;
    }
    h2_stream* const stream = self.find(id);
    if (stream == nullptr || !stream->is_tunnel) {
        self.note_body(size);
    }
    if (stream == nullptr) {
        return 0;
    }
    try {
        self.add_body(*stream, view_of(bytes, size));
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

int h2_session::callbacks::close(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t /*why*/,
                                 void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (h2_stream* const stream = self.find(id)) {
        self.close(*stream);
    }
    return 0;
}

// nghttp2 may know a stream for longer than its owner does, as that of a client that has ended. It resets it
// then.
ssize_t h2_session::callbacks::read_body(nghttp2_session* /*session*/, std::int32_t id,
                                         std::uint8_t* /*buffer*/, std::size_t room, std::uint32_t* flags,
                                         nghttp2_data_source* /*source*/, void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    h2_stream* const stream = self.find(id);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    const ssize_t size = offer_body(*stream, self.out_->size() >= self.out_max_, room, *flags);
    if (size >= 0 && (*flags & NGHTTP2_DATA_FLAG_EOF) != 0 && !stream->behind.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (self.submit_trailers(*stream) != 0) {
            self.out_of_memory_ = true;
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }
    return size;
}

// Called for the bytes that read_body() has promised.
int h2_session::callbacks::send_body(nghttp2_session* /*session*/, nghttp2_frame* frame,
                                     const std::uint8_t* head, std::size_t size,
                                     nghttp2_data_source* /*source*/, void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    h2_stream& stream = *self.find(frame->hd.stream_id);
    try {
        append_body(*self.out_, head, stream, size);
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    stream.leaving.moved(size, self.now_, self.limits_.send, self.limits_.lowest_rate);
    self.budget_.earn(earned_by_data);
    if (stream.pending.empty()) {
        if (stream.is_upgraded && stream.body.capacity() > h2_stream::kept_max) {
            std::string().swap(stream.body);
        }
        stream.tell();
    }
    return 0;
}

// A client need not go on sending a request that has been answered (RFC 9113 8.1), unless its handler still
// reads that. nghttp2 says by a GOAWAY of its own what is wrong with a connection.
int h2_session::callbacks::sent(nghttp2_session* session, const nghttp2_frame* frame,
                                void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        self.failed_ = true;
    } else if (frame->hd.type == NGHTTP2_GOAWAY && self.refuse_at_ != never) {
        return nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, farewell.data());
    }
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        self.note_reset(frame->hd.stream_id);
    }
    const bool last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!last) {
        return 0;
    }
    h2_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr) {
        return 0;
    }
    stream->has_left = true;
    if (stream->whole || stream->handled) {
        return 0;
    }
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
}

}  // namespace leat::http::detail
