// SPDX-License-Identifier: MIT
#include <leat/http/core/answer_fields.hpp>

#include <leat/core/number.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/http/error.hpp>

#include <stdexcept>

namespace leat::http::detail {

std::string_view date_now() noexcept {
    static thread_local date_text text;
    return text.at(current_scheduler().io().wall_now());
}

bool is_ours(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Length") ||
           equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Date");
}

int status_of(std::error_code why) noexcept {
    if (why == error::head_too_large || why == error::too_many_headers || why == error::trailers_too_large) {
        return 431;
    }
    if (why == error::body_too_large) {
        return 413;
    }
    if (why == error::unsupported_version) {
        return 505;
    }
    return why == error::unsupported_transfer_encoding ? 501 : 400;
}

std::optional<std::uint64_t> given_length(const response& made) {
    const auto text = made.headers.get("Content-Length");
    if (!text) {
        return std::nullopt;
    }
    const auto length = leat::detail::parse_number<std::uint64_t>(*text);
    if (!length) {
        throw std::invalid_argument("the Content-Length of an answer is a number");
    }
    return length;
}

void require_no_body(const response& head) {
    if (!head.body.empty()) {
        throw std::invalid_argument("the body of an answer is written, or it is in the head; not both");
    }
}

}  // namespace leat::http::detail
