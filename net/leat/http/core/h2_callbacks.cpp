// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_callbacks.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace leat::http::detail {
namespace {

// As the parser of HTTP/1 has it.
constexpr std::size_t fields_max = 256;
// A head that is so many times as long as allowed is not read to its end.
constexpr std::size_t hopeless = 4;
// What a DATA frame of an answer earns: the client may give windows for the stream and the connection, and
// measure the time of a round trip.
constexpr std::int64_t earned_by_data = 3;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

// As it is announced; nghttp2 has checked that it is a number.
std::uint64_t length_of(const request& asked) noexcept {
    const auto text = asked.headers.get("Content-Length");
    return text ? leat::detail::parse_number<std::uint64_t>(*text).value_or(UINT64_MAX) : 0;
}

h2_session& self_of(void* user_data) noexcept {
    return *static_cast<h2_session*>(user_data);
}

}  // namespace

void h2_session::callbacks::set(nghttp2_session_callbacks& of) noexcept {
    nghttp2_session_callbacks_set_on_begin_headers_callback(&of, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(&of, take_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(&of, take_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(&of, take_invalid);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(&of, take_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(&of, close);
    nghttp2_session_callbacks_set_send_data_callback(&of, send_body);
    nghttp2_session_callbacks_set_on_frame_send_callback(&of, sent);
}

// A handler may run behind a reset: the client gets no further one meanwhile. What comes before a GOAWAY has
// left is no part of what that says is answered. Of a head that is refused nghttp2 does not tell the end.
int h2_session::callbacks::begin_headers(nghttp2_session* session, const nghttp2_frame* frame,
                                         void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        self.head_since_ = self.now_;
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
    if (stream->head_size > self.limits_.header_bytes) {
        return stream->head_size / hopeless > self.limits_.header_bytes ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;  // trailers
    }
    try {
        self.add_field(*stream, text_of(name, name_size), text_of(value, value_size));
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

int h2_session::callbacks::take_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                      void* user_data) noexcept {
    h2_session& self = self_of(user_data);
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
    self.coming_.moved(size, self.now_, self.limits_.body, self.limits_.lowest_rate);
    if (const int outcome = nghttp2_session_consume_connection(session, size); outcome != 0) {
        return outcome;
    }
    h2_stream* const stream = self.find(id);
    if (stream == nullptr) {
        return 0;
    }
    try {
        self.add_body(*stream, text_of(bytes, size));
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
    const h2_session& self = self_of(user_data);
    const h2_stream* const stream = self.find(id);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (stream->pending.empty() && !stream->ended) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (self.out_->size() >= self.out_max_) {
        return NGHTTP2_ERR_PAUSE;
    }
    const std::size_t size = std::min(room, stream->pending.size());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream->ended && size == stream->pending.size()) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(size);
}

// Called for the bytes that read_body() has promised.
int h2_session::callbacks::send_body(nghttp2_session* /*session*/, nghttp2_frame* frame,
                                     const std::uint8_t* head, std::size_t size,
                                     nghttp2_data_source* /*source*/, void* user_data) noexcept {
    constexpr std::size_t head_size = 9;
    h2_session& self = self_of(user_data);
    h2_stream& stream = *self.find(frame->hd.stream_id);
    try {
        self.out_->append(text_of(head, head_size));
        self.out_->append(stream.pending.substr(0, size));
    } catch (const std::bad_alloc&) {
        self.out_of_memory_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    stream.pending.remove_prefix(size);
    stream.leaving.moved(size, self.now_, self.limits_.send, self.limits_.lowest_rate);
    self.budget_.earn(earned_by_data);
    if (stream.pending.empty()) {
        stream.tell();
    }
    return 0;
}

// A client need not go on sending a request that has been answered (RFC 9113 8.1). nghttp2 says by a GOAWAY
// of its own what is wrong with a connection.
int h2_session::callbacks::sent(nghttp2_session* session, const nghttp2_frame* frame,
                                void* user_data) noexcept {
    h2_session& self = self_of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        self.failed_ = true;
    }
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        self.note_reset(frame->hd.stream_id);
    }
    const bool last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!last) {
        return 0;
    }
    const h2_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr || stream->whole) {
        return 0;
    }
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
}

h2_stream* h2_session::find(std::int32_t id) const noexcept {
    return static_cast<h2_stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

void h2_session::begin_stream(std::int32_t id) {
    auto made = std::make_unique<h2_stream>(id, client_);
    made->asked.version = version::http_2;
    made->asked.method.clear();
    made->asked.target.clear();
    check(nghttp2_session_set_stream_user_data(session_, id, made.get()) == 0, "nghttp2 has the stream");
    constexpr nghttp2_extpri in_turns{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
    (void)nghttp2_session_change_extpri_stream_priority(session_, id, &in_turns, 1);
    streams_.push_back(*made.release());
    ++count_;
}

void h2_session::add_field(h2_stream& stream, std::string_view name, std::string_view value) {
    request& asked = stream.asked;
    if (name == ":method") {
        asked.method = value;
    } else if (name == ":path") {
        asked.target = value;
    } else if (name == ":authority") {
        asked.headers.add("Host", value);
    } else if (name.starts_with(':')) {
        return;  // nghttp2 has checked it
    } else if (name == "cookie") {
        stream.cookies.append(stream.cookies.empty() ? "" : "; ").append(value);
    } else if (name == "host" && asked.headers.contains("Host")) {
        if (!equal_ignoring_case(value, *asked.headers.get("Host"))) {
            stream.refused_with = 400;
        }
    } else if (asked.headers.size() == fields_max) {
        stream.refused_with = 431;
    } else {
        try {
            asked.headers.add(name, value);
        } catch (const std::invalid_argument&) {
            stream.refused_with = 400;
        }
    }
}

void h2_session::end_head(h2_stream& stream, bool last) {
    request& asked = stream.asked;
    if (!stream.cookies.empty()) {
        asked.headers.add("Cookie", stream.cookies);
        std::string().swap(stream.cookies);
    }
    int refusal = stream.refused_with;
    const auto host = asked.headers.get("Host");
    const auto target = read_target(asked.method, asked.target);
    if (stream.head_size > limits_.header_bytes) {
        refusal = 431;
    } else if (asked.method == "CONNECT" || (!limits_.any_method && !is_registered_method(asked.method))) {
        refusal = 501;
    } else if (length_of(asked) > limits_.body_bytes) {
        refusal = 413;
    } else if (refusal == 0 && (!target || target->kind == request_target::form::absolute ||
                                !host.has_value() || !is_authority(*host))) {
        refusal = 400;  // a whole URL as the path could name another host (RFC 9113 8.3.1)
    }
    if (refusal != 0) {
        stream.whole = last;
        refuse(stream, refusal);
    } else if (!last) {
        begin_body(stream);
    }
}

void h2_session::begin_body(h2_stream& stream) {
    bool alone = true;
    for (h2_stream* each = streams_.first(); each != nullptr; each = streams_.next(*each)) {
        alone = alone && (each == &stream || !each->is_coming());
    }
    if (alone) {
        coming_.begin(now_);
    }
    stream.body_since = now_;
    if (stream.asked.headers.contains_token("Expect", "100-continue")) {
        static constexpr std::string_view name = ":status";
        static constexpr std::string_view value = "100";
        const nghttp2_nv head{const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(name.data())),
                              const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(value.data())),
                              name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
        const auto outcome =
            nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, &head, 1, nullptr);
        require_memory(outcome);
    }
}

void h2_session::add_body(h2_stream& stream, std::string_view piece) {
    if (stream.refused_with != 0 || stream.begun) {
        give_window(stream, piece.size());
        return;
    }
    std::string& body = stream.asked.body;
    if (piece.size() > limits_.body_bytes - body.size()) {
        stream.window_owed += piece.size();
        refuse(stream, 413);
        return;
    }
    body.append(piece);
    bodies_ += piece.size();
    stream.window_owed += piece.size();
    give_owed_windows();
}

void h2_session::end_request(h2_stream& stream) noexcept {
    stream.whole = true;
    if (stream.refused_with == 0) {
        stream.asked.connection = &stream;
        stream.unlink();
        ready_.push_back(stream);
    }
}

void h2_session::close(h2_stream& stream) noexcept {
    stream.open = false;
    stream.pending = {};
    stream.broken = stream.broken || !stream.ended;
    (void)nghttp2_session_set_stream_user_data(session_, stream.id, nullptr);
    if (stream.handled) {
        stream.tell();
    } else {
        forget(stream);
    }
}

void h2_session::forget(h2_stream& stream) noexcept {
    bodies_ -= stream.asked.body.size();
    --count_;
    stream.unlink();
    delete &stream;
}

}  // namespace leat::http::detail
