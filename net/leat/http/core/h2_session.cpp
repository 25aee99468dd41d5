// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_session.hpp>

#include <leat/check.hpp>
#include <leat/http/core/h2_callbacks.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr duration farewell_max = std::chrono::seconds(1);
constexpr std::uint32_t continuations_max = 8;  // so many frames of 16 KiB

std::uint32_t code_of(h2_error why) noexcept {
    return static_cast<std::uint32_t>(why);
}

// What a frame costs the peer (h2_budget).
std::int64_t cost_of(const h2_frame_head& head) noexcept {
    const bool empty = head.length == 0 && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    switch (head.type) {
        case NGHTTP2_DATA:
            return empty ? 5 : (head.flags & NGHTTP2_FLAG_PADDED) != 0 ? 1 : 0;
        case NGHTTP2_HEADERS:
            return 0;
        case NGHTTP2_CONTINUATION:
            return head.length == 0 ? 5 : 1;
        case NGHTTP2_SETTINGS:
            return (head.flags & NGHTTP2_FLAG_ACK) != 0 ? 1 : 10;
        case NGHTTP2_RST_STREAM:
            return 3;
        default:
            return 1;
    }
}

}  // namespace

h2_session::h2_session(const server_limits& limits, served_connection& client, time_point now, bool reads)
    : limits_(limits), client_(client), budget_(now), reads_(reads), now_(now) {
    const h2_option_owner option = make_h2_option();
    nghttp2_option_set_no_closed_streams(option.get(), 1);
    const h2_callbacks_owner used = make_h2_callbacks<callbacks>();
    nghttp2_mem memory = memory_.functions();
    require_memory(nghttp2_session_server_new3(&session_, used.get(), this, option.get(), &memory));
    memory_.session_is_made();
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
        nghttp2_settings_entry{
            NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
            static_cast<std::uint32_t>(std::min<std::size_t>(limits.header_bytes, UINT32_MAX))},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    const int outcome =
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    if (outcome != 0) {
        nghttp2_session_del(session_);
        require_memory(outcome);
        check(false, "nghttp2 takes our settings");
    }
}

h2_session::~h2_session() {
    for (list<h2_stream>* each : {&ready_, &streams_}) {
        while (!each->empty()) {
            h2_stream& left = each->front();
            check(!left.handled, "no handler is left when its connection dies");
            forget(left);
        }
    }
    nghttp2_session_del(session_);
}

void h2_session::receive(std::span<const std::byte> input, time_point now) noexcept {
    now_ = now;
    std::span<const std::byte> rest = input;
    while (!failed_) {
        const auto head = scan_.next(rest);
        if (!head.has_value()) {
            feed(input);
            return;
        }
        const bool doubtful = may_be_closed(*head);
        h2_error wrong = judge(*head);
        if (doubtful || wrong != h2_error::none) {  // nghttp2 goes on to here
            feed(input.first(input.size() - rest.size()));
            input = rest;
        }
        if (doubtful && is_closed(*head)) {
            wrong = h2_error::stream_closed;
        }
        if (wrong != h2_error::none && !failed_) {
            terminate(wrong);
        }
    }
}

void h2_session::feed(std::span<const std::byte> input) noexcept {
    if (failed_) {
        return;
    }
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    if (taken < 0) {
        fail(static_cast<int>(taken));
    }
}

// What is wrong with a frame before it is looked at.
h2_error h2_session::judge(const h2_frame_head& head) noexcept {
    if (head.type == NGHTTP2_PRIORITY && (head.stream == 0 || head.depends_on == head.stream)) {
        return h2_error::protocol_error;
    }
    if (head.type == NGHTTP2_HEADERS) {
        block_frames_ = 0;
        last_begun_ = std::max(last_begun_, head.stream);
    }
    const bool endless = head.type == NGHTTP2_CONTINUATION && ++block_frames_ > continuations_max;
    return endless || !budget_.spend(cost_of(head), now_) ? h2_error::enhance_your_calm : h2_error::none;
}

// A part of a request on a stream that was there, as far as nghttp2 has read.
bool h2_session::may_be_closed(const h2_frame_head& head) const noexcept {
    return (head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_DATA) && head.stream <= last_begun_ &&
           !goes_away_ && nghttp2_session_find_stream(session_, head.stream) == nullptr;
}

// The client has ended it, and knows that. (It may not know yet that this side has reset it: RFC 9113 5.1.)
bool h2_session::is_closed(const h2_frame_head& head) const noexcept {
    const auto oldest = *std::ranges::min_element(resets_);
    return may_be_closed(head) && head.stream > oldest &&
           std::ranges::find(resets_, head.stream) == resets_.end();
}

void h2_session::note_reset(std::int32_t id) noexcept {
    if (id == 0) {
        return;  // it was the connection
    }
    resets_[next_reset_] = id;
    next_reset_ = (next_reset_ + 1) % resets_.size();
}

// What nghttp2 calls an error of ours, or of the bytes that came.
void h2_session::fail(int outcome) noexcept {
    if (outcome == NGHTTP2_ERR_NOMEM || out_of_memory_) {
        terminate(h2_error::internal_error);
    } else if (outcome == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
        terminate(h2_error::protocol_error);
    } else {
        terminate(h2_error::enhance_your_calm);
    }
}

void h2_session::terminate(h2_error why) noexcept {
    failed_ = true;
    // Without memory the connection ends without it.
    (void)nghttp2_session_terminate_session(session_, code_of(why));
}

void h2_session::go_away(time_point now) noexcept {
    if (refuse_at_ != never || goes_away_) {
        return;
    }
    refuse_at_ = after(now, farewell_max);
    if (nghttp2_submit_shutdown_notice(session_) != 0) {
        terminate(h2_error::internal_error);
    }
}

void h2_session::refuse_further() noexcept {
    refuse_at_ = never;
    goes_away_ = true;
    const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_);
    if (nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0) != 0) {
        terminate(h2_error::internal_error);
    }
}

bool h2_session::finished() const noexcept {
    return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

std::size_t h2_session::queued() const noexcept {
    return nghttp2_session_get_outbound_queue_size(session_);
}

// For each stream, which `each` may destroy.
template <typename Each>
void h2_session::for_each(Each each) noexcept {
    for (list<h2_stream>* in : {&ready_, &streams_}) {
        for (h2_stream* at = in->first(); at != nullptr;) {
            h2_stream& stream = *std::exchange(at, in->next(*at));
            each(stream);
        }
    }
}

void h2_session::end_of_input() noexcept {
    for_each([this](h2_stream& stream) {
        stream.client_ended = true;
        if (stream.whole || stream.is_read) {
            stream.tell();
        } else {
            close(stream);
        }
    });
}

void h2_session::drop_blocked() noexcept {
    for_each([this](h2_stream& stream) {
        if (stream.is_leaving()) {
            close(stream);
        }
    });
}

void h2_session::lose() noexcept {
    failed_ = true;
    for_each([this](h2_stream& stream) { close(stream); });
}

h2_stream* h2_session::take_request() noexcept {
    if (ready_.empty()) {
        return nullptr;
    }
    h2_stream& next = ready_.pop_front();
    streams_.push_back(next);
    next.handled = true;
    return &next;
}

void h2_session::handler_ended(h2_stream& stream) noexcept {
    stream.handled = false;
    if (stream.is_upgraded) {
        stream.leaving.begin(now_);
    }
    drop_request(stream);
    if (!stream.open) {
        forget(stream);
    } else if (!stream.ended || stream.broken) {
        reset(stream, h2_error::internal_error);
    } else if (stream.has_left && !stream.whole) {
        reset(stream, h2_error::none);
    }
}

void h2_session::resume(h2_stream& stream) noexcept {
    if (stream.open && nghttp2_session_resume_data(session_, stream.id) == NGHTTP2_ERR_NOMEM) {
        terminate(h2_error::internal_error);
    }
}

void h2_session::reset(h2_stream& stream, h2_error why) noexcept {
    stream.pending = {};
    stream.broken = true;
    if (stream.open && nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, code_of(why)) != 0) {
        terminate(h2_error::internal_error);
    }
    stream.tell();
}

void h2_session::fail(h2_stream& stream, int status) noexcept {
    if (stream.refused_with != 0) {
        return;  // it was late
    }
    if (stream.begun) {
        reset(stream, h2_error::internal_error);
    } else {
        refuse_or_reset(stream, status, h2_error::internal_error);
    }
}

void h2_session::write(std::string& out, std::size_t most, time_point now) {
    now_ = now;
    out_ = &out;
    out_max_ = most;
    try {
        append_frames(session_, out, most);
    } catch (...) {
        failed_ = true;
        throw;
    }
}

}  // namespace leat::http::detail
