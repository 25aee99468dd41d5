// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_client_callbacks.hpp>

#include <leat/check.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/trailer_names.hpp>
#include <leat/http/error.hpp>

#include <new>
#include <stdexcept>
#include <utility>

namespace leat::http::detail {
namespace {

// As the parser of HTTP/1 has it.
constexpr int interims_max = 20;
// What a DATA frame of a request earns: the server may give windows for the stream and the connection, and
// measure the time of a round trip.
constexpr std::int64_t earned_by_body = 3;

h2_client_session& client_session_of(void* user_data) noexcept {
    return *static_cast<h2_client_session*>(user_data);
}

}  // namespace

int h2_client_session::callbacks::begin_headers(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                                void* user_data) noexcept {
    h2_client_stream* const stream = client_session_of(user_data).find(frame->hd.stream_id);
    if (stream != nullptr) {
        stream->silent = false;
        stream->head_size = 0;
        if (!stream->headed) {
            stream->head.clear();
            stream->head.version = version::http_2;
        }
    }
    return 0;
}

// nghttp2 resets the stream of a field that is one too many.
int h2_client_session::callbacks::take_field(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                             const std::uint8_t* name, std::size_t name_size,
                                             const std::uint8_t* value, std::size_t value_size,
                                             std::uint8_t /*flags*/, void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    h2_client_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr || stream->failure) {
        return 0;
    }
    try {
        self.add_field(*stream, view_of(name, name_size), view_of(value, value_size));
    } catch (const std::bad_alloc&) {
        stream->fail(std::make_error_code(std::errc::not_enough_memory), std::string());
    }
    return stream->failure ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

int h2_client_session::callbacks::take_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                             void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        self.goes_away_ = true;
        self.ended_with_ = frame->goaway.error_code;
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        self.reset_by_server_ = frame->hd.stream_id;
    } else if (frame->hd.type == NGHTTP2_SETTINGS) {
        self.speaks_ = true;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    h2_client_stream* const stream = self.find(frame->hd.stream_id);
    if (stream == nullptr || stream->failure) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->headed) {
        self.end_head(*stream);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !stream->failure) {
        stream->whole = true;
    }
    stream->tell();
    return 0;
}

// nghttp2 resets the stream, or ends the connection.
int h2_client_session::callbacks::take_invalid(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                                               int error, void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    try {
        self.wrong_.assign("the server broke the rules of HTTP/2: ").append(nghttp2_strerror(error));
    } catch (const std::bad_alloc&) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return self.budget_.spend(3, self.now_) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

int h2_client_session::callbacks::take_body(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                                            const std::uint8_t* bytes, std::size_t size,
                                            void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    if (const int outcome = nghttp2_session_consume_connection(session, size); outcome != 0) {
        return outcome;
    }
    h2_client_stream* const stream = self.find(id);
    if (stream == nullptr || stream->failure) {
        return 0;
    }
    try {
        stream->received.append(view_of(bytes, size));
        stream->body_bytes += size;
    } catch (const std::bad_alloc&) {
        stream->fail(std::make_error_code(std::errc::not_enough_memory), std::string());
        self.reset(*stream, NGHTTP2_CANCEL);
    }
    stream->tell();
    return 0;
}

int h2_client_session::callbacks::close(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t why,
                                        void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    if (h2_client_stream* const stream = self.find(id)) {
        self.close(*stream, why);
    }
    return 0;
}

ssize_t h2_client_session::callbacks::read_body(nghttp2_session* /*session*/, std::int32_t id,
                                                std::uint8_t* /*buffer*/, std::size_t room,
                                                std::uint32_t* flags, nghttp2_data_source* /*source*/,
                                                void* user_data) noexcept {
    const h2_client_session& self = client_session_of(user_data);
    const h2_client_stream* const stream = self.find(id);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return offer_body(*stream, self.out_->size() >= self.out_max_, room, *flags);
}

// Called for the bytes that read_body() has promised.
int h2_client_session::callbacks::send_body(nghttp2_session* /*session*/, nghttp2_frame* frame,
                                            const std::uint8_t* head, std::size_t size,
                                            nghttp2_data_source* /*source*/, void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    h2_client_stream& stream = *self.find(frame->hd.stream_id);
    try {
        append_body(*self.out_, head, stream, size);
    } catch (const std::bad_alloc&) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    self.budget_.earn(earned_by_body);
    if (stream.pending.empty()) {
        stream.tell();
    }
    return 0;
}

// nghttp2 says by a GOAWAY of its own what is wrong with a connection.
int h2_client_session::callbacks::sent(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                                       void* user_data) noexcept {
    h2_client_session& self = client_session_of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        self.failed_ = true;
    } else if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        if (h2_client_stream* const stream = self.find(frame->hd.stream_id)) {
            stream->sent_head = true;
            if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                stream->sent_at = self.now_;
            }
        }
    }
    return 0;
}

h2_client_stream* h2_client_session::find(std::int32_t id) const noexcept {
    return static_cast<h2_client_stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

// Fields that are none are left out, as by HTTP/1.
void h2_client_session::add_field(h2_client_stream& stream, std::string_view name, std::string_view value) {
    stream.head_size += name.size() + value.size() + 32;  // RFC 9113 6.5.2
    if (stream.head_size > stream.limits.head_bytes) {
        stream.fail(error::head_too_large,
                    "header larger than " + std::to_string(stream.limits.head_bytes) + " bytes");
    } else if (name == ":status") {
        stream.head.status = static_cast<int>(leat::detail::parse_number<unsigned>(value).value_or(0));
    } else if (!name.starts_with(':')) {
        headers& fields = stream.headed ? stream.trailers : stream.head.headers;
        if (fields.size() == stream.limits.fields) {
            stream.fail(error::too_many_headers, make_error_code(error::too_many_headers).message());
            return;
        }
        if (stream.headed && !may_be_trailer(name)) {
            return;
        }
        try {
            fields.add(name, value);
        } catch (const std::invalid_argument&) {
        }
    }
}

void h2_client_session::end_head(h2_client_stream& stream) noexcept {
    const int status = stream.head.status;
    if (status >= 200) {
        stream.headed = true;
        if (const auto length = stream.head.headers.get("Content-Length")) {
            stream.length = leat::detail::parse_number<std::uint64_t>(*length);
        }
        return;
    }
    stream.continued = stream.continued || status == 100;
    if (++stream.interims > interims_max) {
        stream.fail(error::too_many_interim_responses, "the server sent too many 1xx responses");
        reset(stream, NGHTTP2_CANCEL);
    }
}

void h2_client_session::close(h2_client_stream& stream, std::uint32_t why) noexcept {
    (void)nghttp2_session_set_stream_user_data(session_, stream.id, nullptr);
    stream.open = false;
    stream.unlink();
    if (stream.whole) {
        stream.pending = {};
        stream.tell();
        return;
    }
    stream.refused = speaks_ && (!stream.sent_head || (why == NGHTTP2_REFUSED_STREAM && stream.silent));
    try {
        if (stream.refused) {
            stream.fail(error::no_message, "the server has refused the request without looking at it");
        } else if (stream.id == reset_by_server_) {
            stream.silent = false;
            stream.fail(error::stream_reset,
                        std::string("the server has reset the request: ") + nghttp2_http2_strerror(why));
        } else if (stream.headed && stream.length) {
            stream.fail(error::bad_http2, "the body is not the " + std::to_string(*stream.length) +
                                              " bytes that its Content-Length says");
        } else {
            stream.fail(error::bad_http2, speaks_ ? "the answer breaks the rules of HTTP/2"
                                                  : "the server does not speak HTTP/2");
        }
    } catch (const std::bad_alloc&) {
        stream.fail(std::make_error_code(std::errc::not_enough_memory), std::string());
    }
}

}  // namespace leat::http::detail
