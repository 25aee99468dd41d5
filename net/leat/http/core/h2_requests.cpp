// SPDX-License-Identifier: MIT
// Requests of an h2_session: from what nghttp2 tells to a request that a handler gets, or that is refused.
#include <leat/http/core/h2_session.hpp>

#include <leat/check.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/h2_callbacks.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/trailer_names.hpp>
#include <leat/http/error.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace leat::http::detail {
namespace {

// As the parser of HTTP/1 has it.
constexpr std::size_t fields_max = 256;

// As it is announced; nghttp2 has checked that it is a number.
std::optional<std::uint64_t> length_of(const request& asked) noexcept {
    const auto text = asked.headers.get("Content-Length");
    if (!text) {
        return std::nullopt;
    }
    return leat::detail::parse_number<std::uint64_t>(*text).value_or(UINT64_MAX);
}

}  // namespace

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
    } else if (name == ":protocol") {
        stream.protocol = value;
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

void h2_session::add_trailer(h2_stream& stream, std::string_view name, std::string_view value) {
    if (stream.trailers.size() == fields_max) {
        stream.trailers_failure = error::too_many_headers;
    } else if (may_be_trailer(name) && is_field_value(value)) {
        stream.trailers.add(name, value);
    }
}

// An extended CONNECT as the request of HTTP/1 that asks for the same.
void h2_session::read_protocol(h2_stream& stream) {
    request& asked = stream.asked;
    stream.is_tunnel = stream.is_read = true;
    asked.method = "GET";
    try {
        asked.headers.add("Upgrade", stream.protocol);
        asked.headers.add("Connection", "Upgrade");
    } catch (const std::invalid_argument&) {
        stream.refused_with = 400;
    }
}

void h2_session::end_head(h2_stream& stream, bool last) {
    request& asked = stream.asked;
    if (!stream.protocol.empty()) {
        read_protocol(stream);
    }
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
    } else if (!reads_ && length_of(asked).value_or(0) > limits_.body_bytes) {
        refusal = 413;
    } else if (refusal == 0 && (!target || target->kind == request_target::form::absolute ||
                                !host.has_value() || !is_authority(*host))) {
        refusal = 400;  // a whole URL as the path could name another host (RFC 9113 8.3.1)
    }
    if (refusal != 0) {
        stream.whole = last;
        refuse(stream, refusal);
        return;
    }
    if (!last && !stream.is_tunnel) {
        begin_body(stream);
    }
    if (reads_ || stream.is_tunnel) {
        stream.is_read = true;
        stream.body_size = last || stream.is_tunnel ? std::optional<std::uint64_t>(0) : length_of(asked);
        offer(stream);
    }
}

void h2_session::begin_body(h2_stream& stream) {
    bool alone = true;
    for (h2_stream* each = streams_.first(); each != nullptr; each = streams_.next(*each)) {
        alone = alone && (each == &stream || !each->is_coming());
    }
    if (alone) {
        coming_.begin(now_);
        if (reads_ && awaiting_ == 0) {
            coming_.pause(now_);
        }
    }
    stream.body_since = stream.waited_until = now_;
    const bool awaits_continue = stream.asked.headers.contains_token("Expect", "100-continue");
    if (reads_) {
        stream.awaits_continue = awaits_continue;
    } else if (awaits_continue) {
        interim(stream, 100, {});
    }
}

// A handler that has left a body gives no window for the rest: the stream ends with the answer.
void h2_session::add_body(h2_stream& stream, std::string_view piece) {
    if (stream.is_read) {
        stream.awaits_continue = false;
        if (!stream.is_left) {
            stream.come.append(piece);
            stream.tell();
        }
        return;
    }
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
    give_window_in_turn(stream, piece.size());
}

void h2_session::end_request(h2_stream& stream) {
    stream.whole = true;
    uncount_body(stream);
    if (stream.is_read) {
        stream.tell();
    } else if (stream.refused_with != 0) {
        return;
    } else if (stream.trailers_failure) {
        refuse(stream, refusal_status(stream.trailers_failure));
    } else {
        stream.asked.trailers = std::move(stream.trailers);
        offer(stream);
    }
}

void h2_session::offer(h2_stream& stream) noexcept {
    stream.asked.connection = &stream;
    stream.unlink();
    ready_.push_back(stream);
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
    --count_;
    stream.unlink();
    free_body(stream);
    delete &stream;
}

}  // namespace leat::http::detail
