// SPDX-License-Identifier: MIT
// The bodies of requests that the handlers read themselves.
#include <leat/http/core/server_exchange.hpp>

#include <new>

namespace leat::http::detail {

std::optional<std::string_view> server_exchange::take_body(std::string_view& input) {
    if (work_->body_failure) {
        return std::nullopt;
    }
    result<progress> step = progress::more;
    try {
        step = work_->parser.next(input);
    } catch (const std::bad_alloc&) {  // of the trailers: a part of them is lost
        step = std::make_error_code(std::errc::not_enough_memory);
    }
    if (!step) {
        work_->body_failure = step.error();
        return std::nullopt;
    }
    if (*step == progress::end) {
        return std::string_view();
    }
    if (*step == progress::body) {
        awaits_continue_ = false;
        return work_->parser.body();
    }
    return std::nullopt;
}

std::optional<std::uint64_t> server_exchange::body_size() const noexcept {
    const request_parser& parser = work_->parser;
    return parser.has_body() ? parser.content_length() : std::optional<std::uint64_t>(0);
}

void server_exchange::leave_body() noexcept {
    const request_parser& parser = work_->parser;
    if (!parser.complete()) {
        work_->dropped_from = parser.body_bytes();
        rest_is_dear_ =
            awaits_continue_ || work_->body_failure || parser.body_left().value_or(0) > dropped_max;
        closes_ |= rest_is_dear_;  // of an answer whose head is made
    }
}

// What follows is no request, whatever it says, until the body has come to its end.
bool server_exchange::drop_rest(std::string_view& input) {
    request_parser& parser = work_->parser;
    while (!parser.complete()) {
        const auto step = parser.next(input);
        if (!step || parser.body_bytes() - work_->dropped_from > dropped_max) {
            closes_ = true;  // the answer is there, another one would be taken for that to the next request
            return false;
        }
        if (*step == progress::more) {
            return false;
        }
    }
    return true;
}

}  // namespace leat::http::detail
