// SPDX-License-Identifier: MIT
#include "h2_client.hpp"

#include <leat/check.hpp>
#include <leat/io.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat::testing {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

std::uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

nghttp2_nv native_field(std::string_view name, std::string_view value) {
    return {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> native_fields(const http::headers& given) {
    std::vector<nghttp2_nv> fields;
    for (const http::headers::field field : given) {
        fields.push_back(native_field(field.name, field.value));
    }
    return fields;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += '\0';
    out.append(1, static_cast<char>(name.size())).append(name);
    out.append(1, static_cast<char>(value.size())).append(value);
}

}  // namespace

std::string h2_number(std::uint32_t number) {
    std::string four;
    for (int shift = 24; shift >= 0; shift -= 8) {
        four += static_cast<char>(number >> shift & 0xff);
    }
    return four;
}

std::string h2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string frame = h2_number(static_cast<std::uint32_t>(payload.size())).substr(1);
    frame += static_cast<char>(type);
    frame += static_cast<char>(flags);
    frame += h2_number(stream);
    return frame.append(payload);
}

std::string h2_fields(const http::headers& fields, std::string_view method, std::string_view target) {
    std::string block;
    append_field(block, ":method", method);
    append_field(block, ":scheme", "http");
    append_field(block, ":authority", "a");
    append_field(block, ":path", target);
    for (const http::headers::field field : fields) {
        append_field(block, field.name, field.value);
    }
    return block;
}

struct h2_client::callbacks {
    static h2_client& of(void* user_data) { return *static_cast<h2_client*>(user_data); }

    static int take_field(nghttp2_session* /*session*/, const nghttp2_frame* frame, const std::uint8_t* name,
                          std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                          std::uint8_t /*flags*/, void* user_data) {
        h2_answer& answer = of(user_data).of(frame->hd.stream_id);
        const std::string_view field = text_of(name, name_size);
        if (field == ":status") {
            if (answer.status != 0) {
                answer.interim.push_back(answer.status);
            }
            answer.status = std::stoi(std::string(text_of(value, value_size)));
        } else if (answer.begun) {
            answer.trailers.add(field, text_of(value, value_size));
        } else {
            answer.fields.add(field, text_of(value, value_size));
        }
        return 0;
    }

    static int take_body(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                         const std::uint8_t* bytes, std::size_t size, void* user_data) {
        of(user_data).of(id).body += text_of(bytes, size);
        return 0;
    }

    static int take_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user_data) {
        h2_client& self = of(user_data);
        if (frame->hd.type == NGHTTP2_GOAWAY) {
            self.goaway_ = frame->goaway.error_code;
            self.last_stream_ = frame->goaway.last_stream_id;
        } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
            self.of(frame->hd.stream_id).reset = frame->rst_stream.error_code;
        } else if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                   (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            self.of(frame->hd.stream_id).whole = true;
        }
        if (frame->hd.type == NGHTTP2_HEADERS) {
            h2_answer& answer = self.of(frame->hd.stream_id);
            answer.begun = answer.status >= 200;
        }
        return 0;
    }

    static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                             std::size_t room, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                             void* user_data) {
        body& sent = of(user_data).bodies_[id];
        const std::size_t size = std::min(room, sent.left.size());
        if (size == 0 && !sent.ended) {
            return NGHTTP2_ERR_DEFERRED;
        }
        sent.left.copy(reinterpret_cast<char*>(buffer), size);
        sent.left.erase(0, size);
        if (sent.left.empty() && sent.ended) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            const auto fields = native_fields(sent.trailers);
            if (!fields.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                nghttp2_submit_trailer(session, id, fields.data(), fields.size());
            }
        }
        return static_cast<ssize_t>(size);
    }
};

h2_client::h2_client(std::uint32_t window) {
    nghttp2_session_callbacks* used = nullptr;
    check(nghttp2_session_callbacks_new(&used) == 0, "there is memory");
    nghttp2_session_callbacks_set_on_header_callback(used, callbacks::take_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(used, callbacks::take_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(used, callbacks::take_frame);
    check(nghttp2_session_client_new(&session_, used, this) == 0, "there is memory");
    nghttp2_session_callbacks_del(used);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
    check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1) == 0, "there is memory");
}

std::int32_t h2_client::submit(std::string_view method, std::string_view target, bool has_body,
                               const http::headers& more) {
    std::vector<nghttp2_nv> fields{native_field(":method", method), native_field(":scheme", "http"),
                                   native_field(":authority", "a"), native_field(":path", target)};
    std::ranges::copy(native_fields(more), std::back_inserter(fields));
    nghttp2_data_provider from{.source = {}, .read_callback = callbacks::read_body};
    return nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), has_body ? &from : nullptr,
                                  nullptr);
}

std::int32_t h2_client::ask(std::string_view target, std::string_view method, std::string sent,
                            const http::headers& more) {
    const std::int32_t id = submit(method, target, !sent.empty(), more);
    bodies_[id] = {.left = std::move(sent)};
    return id;
}

std::int32_t h2_client::begin(std::string_view target, std::string sent, const http::headers& more) {
    const std::int32_t id = submit("POST", target, true, more);
    bodies_[id] = {.left = std::move(sent), .ended = false};
    return id;
}

std::int32_t h2_client::connect(std::string_view target, std::string_view protocol,
                                const http::headers& more) {
    std::vector<nghttp2_nv> fields{native_field(":method", "CONNECT"), native_field(":protocol", protocol),
                                   native_field(":scheme", "http"), native_field(":authority", "a"),
                                   native_field(":path", target)};
    std::ranges::copy(native_fields(more), std::back_inserter(fields));
    nghttp2_data_provider from{.source = {}, .read_callback = callbacks::read_body};
    const std::int32_t id =
        nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &from, nullptr);
    bodies_[id] = {.left = {}, .ended = false};
    return id;
}

void h2_client::add_body(std::int32_t stream, std::string_view more) {
    bodies_[stream].left += more;
    nghttp2_session_resume_data(session_, stream);
}

void h2_client::end_body(std::int32_t stream, http::headers trailers) {
    bodies_[stream].ended = true;
    bodies_[stream].trailers = std::move(trailers);
    nghttp2_session_resume_data(session_, stream);
}

void h2_client::reset(std::int32_t stream, std::uint32_t code) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
}

void h2_client::receive(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(session_, bytes_of(bytes), bytes.size());
    check(taken == static_cast<ssize_t>(bytes.size()), "a server sends what a client understands");
}

std::string h2_client::take_out() {
    std::string out;
    for (;;) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
        check(size >= 0, "a client can send");
        if (size == 0) {
            return out;
        }
        out += text_of(bytes, static_cast<std::size_t>(size));
    }
}

task<> h2_peer::flush() {
    const std::string out = take_out();
    if (!out.empty()) {
        co_await stream_.send_all(out);
    }
}

task<bool> h2_peer::talk_until(std::function<bool()> enough) {
    for (;;) {
        co_await flush();
        if (enough()) {
            co_return true;
        }
        const chunk some = co_await stream_.recv_chunk();
        if (some.empty()) {
            co_return false;
        }
        receive(some.text());
    }
}

task<bool> h2_peer::finish(std::vector<std::int32_t> streams) {
    const bool all = co_await talk_until([this, &streams] {
        return std::ranges::all_of(
            streams, [this](std::int32_t id) { return of(id).whole || of(id).reset.has_value(); });
    });
    co_return all;
}

task<> h2_peer::finish_all() {
    const auto ended = co_await as_result(talk_until([] { return false; }));
    (void)ended;
}

}  // namespace leat::testing
