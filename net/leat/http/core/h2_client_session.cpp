// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_client_session.hpp>

#include <leat/check.hpp>
#include <leat/http/core/h2_client_callbacks.hpp>
#include <leat/http/error.hpp>

#include <array>
#include <new>
#include <utility>

namespace leat::http::detail {
namespace {

// Of all answers of a connection, on their way: each stream has its own bound.
constexpr std::int32_t connection_window = 16 * 1024 * 1024;
constexpr std::size_t sent_head_max = 1024 * 1024;

void require_done(int outcome) {
    require_memory(outcome);
    check(outcome == 0, "nghttp2 takes what a client begins with");
}

// What a frame costs the server (h2_budget).
std::int64_t cost_of_servers(const h2_frame_head& head) noexcept {
    const bool empty = head.length == 0 && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    switch (head.type) {
        case NGHTTP2_DATA:
            return empty ? 5 : (head.flags & NGHTTP2_FLAG_PADDED) != 0 ? 1 : 0;
        case NGHTTP2_SETTINGS:
            return (head.flags & NGHTTP2_FLAG_ACK) != 0 ? 1 : 10;
        case NGHTTP2_RST_STREAM:
            return 3;
        default:
            return empty ? 5 : 1;
    }
}

}  // namespace

h2_client_session::h2_client_session(time_point now) : budget_(now), now_(now) {
    const h2_option_owner option = make_h2_option();
    nghttp2_option_set_max_send_header_block_length(option.get(), sent_head_max);
    const h2_callbacks_owner used = make_h2_callbacks<callbacks>();
    nghttp2_mem memory = memory_.functions();
    require_done(nghttp2_session_client_new3(&session_, used.get(), this, option.get(), &memory));
    memory_.session_is_made();
    constexpr std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    take_preface_out();
    try {
        require_done(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
        require_done(
            nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, connection_window));
    } catch (...) {
        nghttp2_session_del(session_);
        throw;
    }
}

// nghttp2 has put the preface into the buffer that all sessions share (h2_memory): another one may write
// before this one does. write() begins with it.
void h2_client_session::take_preface_out() noexcept {
    const std::uint8_t* bytes = nullptr;
    while (nghttp2_session_mem_send(session_, &bytes) > 0) {
    }
}

h2_client_session::~h2_client_session() {
    check(streams_.empty(), "no request is left when its connection dies");
    nghttp2_session_del(session_);
}

void h2_client_session::receive(std::span<const std::byte> input, time_point now) noexcept {
    now_ = now;
    std::span<const std::byte> rest = input;
    while (!failed_) {
        const auto head = scan_.next(rest);
        if (!head.has_value()) {
            feed(input);
            return;
        }
        if (const fault found = judge(*head); found.text != nullptr) {
            feed(input.first(input.size() - rest.size()));  // what came before it counts
            terminate(found.code, found.text);
        }
    }
}

void h2_client_session::feed(std::span<const std::byte> input) noexcept {
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    if (taken < 0) {
        terminate(NGHTTP2_INTERNAL_ERROR, nghttp2_strerror(static_cast<int>(taken)));
    }
}

// What is wrong with a frame before it is looked at.
h2_client_session::fault h2_client_session::judge(const h2_frame_head& head) noexcept {
    if (head.type == NGHTTP2_HEADERS) {
        block_frames_ = 0;
    }
    const bool endless = head.type == NGHTTP2_CONTINUATION && ++block_frames_ > block_frames_max_;
    if (endless || !budget_.spend(cost_of_servers(head), now_)) {
        return {NGHTTP2_ENHANCE_YOUR_CALM, "the server sends too much that asks for work and brings nothing"};
    }
    if (head.type == NGHTTP2_PUSH_PROMISE) {  // nghttp2 takes it until our settings are acknowledged
        return {NGHTTP2_PROTOCOL_ERROR, "the server broke the rules of HTTP/2: it pushes"};
    }
    return {};
}

void h2_client_session::terminate(std::uint32_t why, std::string_view text) noexcept {
    failed_ = true;
    try {
        wrong_ = text;
    } catch (const std::bad_alloc&) {  // the code says enough
    }
    // Without memory the connection ends without it.
    (void)nghttp2_session_terminate_session(session_, why);
}

void h2_client_session::give(h2_client_stream& stream, std::string_view piece, bool last) noexcept {
    if (stream.open) {
        stream.pending = piece;
        stream.ended = last;
        resume(stream);
    }
}

void h2_client_session::finish(h2_client_stream& stream) noexcept {
    stream.ended = true;
    resume(stream);
}

void h2_client_session::resume(h2_client_stream& stream) noexcept {
    if (stream.open && nghttp2_session_resume_data(session_, stream.id) == NGHTTP2_ERR_NOMEM) {
        terminate(NGHTTP2_INTERNAL_ERROR, "no memory");
    }
}

void h2_client_session::give_window(h2_client_stream& stream) noexcept {
    const std::size_t taken = std::exchange(stream.unread, 0);
    if (stream.open && taken > 0 && nghttp2_session_consume_stream(session_, stream.id, taken) != 0) {
        terminate(NGHTTP2_INTERNAL_ERROR, "no memory");
    }
}

void h2_client_session::abandon(h2_client_stream& stream) noexcept {
    if (!stream.open) {
        return;
    }
    reset(stream, NGHTTP2_CANCEL);
    (void)nghttp2_session_set_stream_user_data(session_, stream.id, nullptr);
    stream.pending = {};
    stream.open = false;
    stream.unlink();
}

void h2_client_session::reset(h2_client_stream& stream, std::uint32_t why) noexcept {
    if (nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, why) != 0) {
        terminate(NGHTTP2_INTERNAL_ERROR, "no memory");
    }
}

void h2_client_session::write(std::string& out, std::size_t most, time_point now) {
    now_ = now;
    if (!begun_) {
        out.append(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
        begun_ = true;
    }
    out_ = &out;
    out_max_ = most;
    try {
        append_frames(session_, out, most);
    } catch (...) {
        failed_ = true;
        throw;
    }
}

std::size_t h2_client_session::queued() const noexcept {
    return nghttp2_session_get_outbound_queue_size(session_);
}

std::size_t h2_client_session::streams_max() const noexcept {
    return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool h2_client_session::closing() const noexcept {
    return goes_away_ || failed_ || over_ || nghttp2_session_check_request_allowed(session_) == 0;
}

bool h2_client_session::finished() const noexcept {
    return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void h2_client_session::lose(std::error_code code, const std::string& why) noexcept {
    over_ = true;
    while (!streams_.empty()) {
        h2_client_stream& stream = streams_.pop_front();
        stream.open = false;
        stream.refused = speaks_ && !stream.whole && !stream.sent_head;
        try {
            if (failed_) {
                stream.fail(error::bad_http2, what_is_wrong());
            } else {
                fail_cut_off(stream, code, why);
            }
        } catch (const std::bad_alloc&) {
            stream.fail(std::make_error_code(std::errc::not_enough_memory), std::string());
        }
    }
}

std::string h2_client_session::what_is_wrong() const {
    return !wrong_.empty() ? wrong_
           : speaks_       ? "the server broke the rules of HTTP/2"
                           : "the server does not speak HTTP/2";
}

void h2_client_session::fail_cut_off(h2_client_stream& stream, std::error_code code, const std::string& why) {
    std::string text = why;
    if (!code) {
        code = stream.headed   ? error::truncated_body
               : stream.silent ? error::no_message
                               : error::truncated_head;
        text = code.message();
        if (stream.headed) {
            text = "body ended after " + std::to_string(stream.body_bytes);
            text += stream.length ? " of " + std::to_string(*stream.length) + " bytes" : " bytes";
        } else if (stream.silent) {
            text = "the server closed the connection without an answer";
        }
    }
    if (ended_with_ != NGHTTP2_NO_ERROR) {
        text += std::string(" (it said ") + nghttp2_http2_strerror(ended_with_) + ")";
    }
    stream.fail(code, std::move(text));
}

}  // namespace leat::http::detail
