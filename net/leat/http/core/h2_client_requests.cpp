// SPDX-License-Identifier: MIT
// Requests of an h2_client_session: from the head as HTTP/1.1 has it to what nghttp2 is given.
#include <leat/http/core/h2_client_session.hpp>

#include <leat/check.hpp>
#include <leat/http/core/h2_client_callbacks.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>
#include <leat/http/request_error.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

namespace leat::http::detail {
namespace {

// What nghttp2 sends of fields in one head, by its own estimate, which takes so much for each field.
constexpr std::size_t request_head_max = 1000 * 1000;
constexpr std::size_t overhead_of_field = 12;
constexpr std::int64_t earned_by_request = 10;

std::uint8_t* chars_of(std::string_view text) noexcept {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// Fields of ours that HTTP/2 has no place for (RFC 9113 8.2.2).
bool has_no_place(std::string_view name) noexcept {
    return name == "Transfer-Encoding" || name == "Connection";
}

// What could be guessed by how well it is compressed (RFC 7541 7.1.3).
bool is_short_secret(std::string_view name, std::string_view value) noexcept {
    constexpr std::size_t guessed_max = 20;
    return equal_ignoring_case(name, "Authorization") ||
           (value.size() < guessed_max && equal_ignoring_case(name, "Cookie"));
}

// Takes what is before `end` off the front, and `end`.
std::string_view take_until(std::string_view& text, std::string_view end) noexcept {
    const std::size_t size = std::min(text.find(end), text.size());
    const std::string_view taken = text.substr(0, size);
    text.remove_prefix(std::min(size + end.size(), text.size()));
    return taken;
}

}  // namespace

// The head of one request, for nghttp2, which copies it and writes the names in lower case.
class h2_client_session::request_head {
public:
    request_head(std::string_view text, std::string_view scheme) {
        used_.clear();
        add(":method", take_until(text, " "));
        add(":scheme", scheme);
        add(":path", take_until(text, " "));
        (void)take_until(text, "\r\n");
        while (!text.empty()) {
            std::string_view value = take_until(text, "\r\n");
            const std::string_view name = take_until(value, ": ");
            if (name == "Host") {
                add(":authority", value);  // the first field, so it is among its like
            } else if (equal_ignoring_case(name, "Cookie")) {
                add_crumbs(name, value);
            } else if (!name.empty() && !has_no_place(name)) {
                add(name, value);
            }
        }
    }
    [[nodiscard]] const std::vector<nghttp2_nv>& fields() const noexcept { return used_; }
    [[nodiscard]] bool is_too_long() const noexcept { return size_ > request_head_max; }

private:
    void add(std::string_view name, std::string_view value) {
        size_ += name.size() + value.size() + overhead_of_field;
        const std::uint8_t flags =
            is_short_secret(name, value) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
        used_.push_back({chars_of(name), chars_of(value), name.size(), value.size(), flags});
    }
    // RFC 9113 8.2.3.
    void add_crumbs(std::string_view name, std::string_view value) {
        while (!value.empty()) {
            add(name, take_until(value, "; "));
        }
    }

    static thread_local std::vector<nghttp2_nv> used_;
    std::size_t size_ = 0;
};
thread_local std::vector<nghttp2_nv> h2_client_session::request_head::used_;

void h2_client_session::submit(h2_client_stream& stream, std::string_view text, std::string_view scheme,
                               bool has_body) {
    if (closing()) {
        stream.refused = speaks_;
        const bool wrong = failed_ || (!over_ && !goes_away_);
        throw request_error(wrong ? error::bad_http2 : error::no_message,
                            wrong ? what_is_wrong() : "the server closed the connection without an answer");
    }
    const request_head head(text, scheme);
    if (head.is_too_long()) {
        throw request_error(std::make_error_code(std::errc::message_size),
                            "the head of an HTTP/2 request is longer than 1 MB");
    }
    nghttp2_data_provider body{.source = {}, .read_callback = callbacks::read_body};
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, head.fields().data(),
                                                   head.fields().size(), has_body ? &body : nullptr, &stream);
    if (id == NGHTTP2_ERR_NOMEM) {
        throw std::bad_alloc();
    }
    check(id > 0, "nghttp2 takes a request");
    stream.id = id;
    stream.open = true;
    stream.ended = !has_body;
    streams_.push_back(stream);
    budget_.earn(earned_by_request);
    constexpr std::size_t frame_size = 16 * 1024;
    block_frames_max_ = std::max(block_frames_max_, 8 + stream.limits.head_bytes / frame_size);
}

}  // namespace leat::http::detail
