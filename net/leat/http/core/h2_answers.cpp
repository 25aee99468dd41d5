// SPDX-License-Identifier: MIT
// Answers of an h2_session: from a response to what nghttp2 is given.
#include <leat/http/core/h2_session.hpp>

#include <leat/check.hpp>
#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/h2_callbacks.hpp>
#include <leat/http/core/text.hpp>

#include <array>
#include <charconv>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace leat::http::detail {
namespace {

std::uint8_t* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// Fields that HTTP/2 has no place for (RFC 9113 8.2.2).
bool is_of_connection(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Keep-Alive") || equal_ignoring_case(name, "Proxy-Connection") ||
           equal_ignoring_case(name, "Upgrade");
}

// What nghttp2 sends of fields in one head, by its own estimate, which takes so much for each field and once.
// A longer head would never leave.
constexpr std::size_t head_max = 64 * 1024;
constexpr std::size_t field_overhead = 12;
constexpr std::size_t head_overhead = 17;

void require_possible(const response& made) {
    if (made.upgraded != nullptr) {
        throw std::invalid_argument(
            "only an answer of status 101, without a body, to who asks for it upgrades");
    }
    if (made.status < 200 || made.status > 999) {
        throw std::invalid_argument("an answer with status " + std::to_string(made.status));
    }
}

// A client that has asked for a protocol takes any 2xx for that.
int shown_status(const h2_stream& stream, int status) noexcept {
    return stream.is_tunnel && status / 100 == 2 ? 501 : status;
}

}  // namespace

// The fields of one answer's head, or behind its body, for nghttp2, which copies them and writes the names in
// lower case.
class h2_session::field_block {
public:
    field_block() { used_.clear(); }
    explicit field_block(int status) : field_block() {
        std::to_chars(status_.data(), status_.data() + status_.size(), status);
        add(":status", {status_.data(), status_.size()});
    }
    void add(std::string_view name, std::string_view value) {
        size_ += name.size() + value.size() + field_overhead;
        used_.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    void add_date() { add("date", date_now()); }
    void add_given(const headers& given) {
        for (const headers::field field : given) {
            if (!is_ours(field.name) && !is_of_connection(field.name)) {
                add(field.name, field.value);
            }
        }
    }
    void add_length(std::uint64_t length) {
        const auto [end, error] = std::to_chars(length_.data(), length_.data() + length_.size(), length);
        check(error == std::errc(), "20 digits hold every 64-bit number");
        add("content-length", {length_.data(), end});
    }
    [[nodiscard]] const std::vector<nghttp2_nv>& fields() const noexcept { return used_; }
    void require_short() const {
        if (size_ > head_max) {
            throw std::invalid_argument("the fields of an HTTP/2 answer are longer than 64 KiB");
        }
    }

private:
    static thread_local std::vector<nghttp2_nv> used_;
    std::array<char, 3> status_;
    std::array<char, 20> length_;
    std::size_t size_ = head_overhead;
};
thread_local std::vector<nghttp2_nv> h2_session::field_block::used_;

void h2_session::answer(h2_stream& stream, response& made, time_point now) {
    now_ = now;
    if (stream.refused_with != 0) {
        return;
    }
    if (made.upgraded != nullptr && stream.is_tunnel && made.status == 101 && made.body.empty()) {
        upgrade(stream, made);
        return;
    }
    require_possible(made);
    const int status = shown_status(stream, made.status);
    const bool only_length = stream.asked.method == "HEAD" && made.body.empty();
    const auto given = only_length ? given_length(made) : std::nullopt;
    field_block head(status);
    head.add_date();
    head.add_given(made.headers);
    if (status != 204 && status != 304) {
        head.add_length(given.value_or(made.body.size()));
    }
    const bool has_body = answer_has_body(stream.asked.method, status) && !made.body.empty();
    submit(stream, head, has_body);
    stream.ended = true;
    if (has_body) {
        stream.body = std::move(made.body);
        stream.pending = stream.body;
    }
}

std::optional<std::uint64_t> h2_session::begin(h2_stream& stream, const response& made) {
    require_possible(made);
    const int status = shown_status(stream, made.status);
    const auto length = given_length(made);
    field_block head(status);
    head.add_date();
    head.add_given(made.headers);
    if (length && status != 204) {
        head.add_length(*length);
    }
    const bool has_body = answer_has_body(stream.asked.method, status);
    submit(stream, head, has_body);
    stream.ended = !has_body;
    return length;
}

void h2_session::upgrade(h2_stream& stream, response& made) {
    field_block head(200);
    head.add_date();
    head.add_given(made.headers);
    submit(stream, head, /*has_body=*/true);
    stream.is_upgraded = true;
    stream.upgraded = std::move(made.upgraded);
}

void h2_session::submit(h2_stream& stream, field_block& head, bool has_body) {
    check(!stream.begun, "a request is answered once");
    head.require_short();
    if (stream.open) {
        nghttp2_data_provider body{.source = {}, .read_callback = callbacks::read_body};
        const int outcome = nghttp2_submit_response(session_, stream.id, head.fields().data(),
                                                    head.fields().size(), has_body ? &body : nullptr);
        require_memory(outcome);
        check(outcome == 0, "nghttp2 takes an answer");
    }
    stream.begun = true;
    stream.leaving.begin(now_);
    stream.awaits_continue = false;  // it has heard enough, and will perhaps send no body
}

void h2_session::give(h2_stream& stream, std::string_view piece, time_point now) noexcept {
    now_ = now;
    stream.pending = piece;
    stream.leaving.begin(now);
    resume(stream);
}

void h2_session::finish(h2_stream& stream, time_point now, headers trailers) {
    field_block behind;
    behind.add_given(trailers);
    behind.require_short();
    now_ = now;
    stream.behind = std::move(trailers);
    stream.ended = true;
    stream.leaving.begin(now);
    resume(stream);
}

// Called when the last of the body leaves.
int h2_session::submit_trailers(h2_stream& stream) noexcept {
    try {
        field_block behind;
        behind.add_given(stream.behind);
        return nghttp2_submit_trailer(session_, stream.id, behind.fields().data(), behind.fields().size());
    } catch (const std::bad_alloc&) {
        return NGHTTP2_ERR_NOMEM;
    }
}

void h2_session::interim(h2_stream& stream, int status, const headers& fields) {
    field_block head(status);
    head.add_given(fields);
    head.require_short();
    if (stream.open && !stream.begun) {
        require_memory(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr,
                                              head.fields().data(), head.fields().size(), nullptr));
    }
}

// The answer of the server itself.
void h2_session::refuse(h2_stream& stream, int status) {
    stream.refused_with = status;
    drop_request(stream);
    const std::string_view text = reason_phrase(status);
    field_block head(status);
    head.add_date();
    head.add("content-type", "text/plain");
    head.add_length(text.size() + 1);
    const bool has_body = stream.asked.method != "HEAD";
    stream.body.assign(text).append("\n");
    submit(stream, head, has_body);
    stream.ended = true;
    stream.pending = has_body ? std::string_view(stream.body) : std::string_view();
    stream.tell();
}

void h2_session::refuse_or_reset(h2_stream& stream, int status, h2_error why) noexcept {
    try {
        refuse(stream, status);
    } catch (const std::bad_alloc&) {
        reset(stream, why);
    }
}

}  // namespace leat::http::detail
