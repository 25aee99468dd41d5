// SPDX-License-Identifier: MIT
// What h2_session and h2_client_session do with nghttp2 alike: making it, taking its frames out, and giving
// it bodies. Internal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <nghttp2/nghttp2.h>

namespace leat::http::detail {

// Throws std::bad_alloc where nghttp2 has found no memory.
inline void require_memory(int outcome) {
    if (outcome == NGHTTP2_ERR_NOMEM) {
        throw std::bad_alloc();
    }
}

inline std::string_view view_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

struct h2_option_free {
    void operator()(nghttp2_option* old) const noexcept { nghttp2_option_del(old); }
};
using h2_option_owner = std::unique_ptr<nghttp2_option, h2_option_free>;

// Windows are given back by us. Throws std::bad_alloc.
inline h2_option_owner make_h2_option() {
    nghttp2_option* made = nullptr;
    require_memory(nghttp2_option_new(&made));
    nghttp2_option_set_no_auto_window_update(made, 1);
#ifdef LEAT_HAS_MAX_CONTINUATIONS
    // judge() counts them. nghttp2 takes each part of a frame's head for a frame of its own.
    nghttp2_option_set_max_continuations(made, SIZE_MAX);
#endif
    return h2_option_owner(made);
}

struct h2_callbacks_free {
    void operator()(nghttp2_session_callbacks* old) const noexcept { nghttp2_session_callbacks_del(old); }
};
using h2_callbacks_owner = std::unique_ptr<nghttp2_session_callbacks, h2_callbacks_free>;

// Throws std::bad_alloc.
template <typename Callbacks>
h2_callbacks_owner make_h2_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    require_memory(nghttp2_session_callbacks_new(&made));
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, Callbacks::take_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, Callbacks::take_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, Callbacks::take_invalid);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, Callbacks::take_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, Callbacks::close);
    nghttp2_session_callbacks_set_send_data_callback(made, Callbacks::send_body);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, Callbacks::sent);
    return h2_callbacks_owner(made);
}

// Appends frames that are to be sent to `out`, as long as that is shorter than `most`. All that nghttp2 has
// in its buffer is taken, or it is asked for nothing more (h2_memory). Throws std::bad_alloc; the session is
// of no use then.
inline void append_frames(nghttp2_session* session, std::string& out, std::size_t most) {
    while (out.size() < most) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session, &bytes);
        if (size < 0) {
            throw std::bad_alloc();
        }
        if (size == 0) {
            return;
        }
        out.append(view_of(bytes, static_cast<std::size_t>(size)));
    }
}

// What the source of a body answers nghttp2, which then asks append_body() for so many bytes: none now, when
// there are none or `out_is_full`. Sets the flags of the end where it is.
template <typename Stream>
ssize_t offer_body(const Stream& stream, bool out_is_full, std::size_t room, std::uint32_t& flags) noexcept {
    if (stream.pending.empty() && !stream.ended) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (out_is_full) {
        return NGHTTP2_ERR_PAUSE;
    }
    const std::size_t size = std::min(room, stream.pending.size());
    flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream.ended && size == stream.pending.size()) {
        flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(size);
}

// A DATA frame with the head that nghttp2 has made and `size` bytes of what is pending. Throws
// std::bad_alloc.
template <typename Stream>
void append_body(std::string& out, const std::uint8_t* head, Stream& stream, std::size_t size) {
    constexpr std::size_t head_size = 9;
    out.append(view_of(head, head_size));
    out.append(stream.pending.substr(0, size));
    stream.pending.remove_prefix(size);
}

}  // namespace leat::http::detail
