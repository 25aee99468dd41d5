// SPDX-License-Identifier: MIT
#include <leat/http/core/request_retries.hpp>

#include <leat/check.hpp>
#include <leat/http/error.hpp>
#include <leat/http/retry_after.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

// The server, or a proxy before it, is overloaded, or what it needs is.
bool may_pass(int status) noexcept {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

request_retries::request_retries(const retry_options& how) : how_(how), waits_(how), left_(how.tries - 1) {
    check(how.tries >= 1, "a request is sent at least once");
    check(how.when != nullptr, "a retry knows which errors are worth another try");
}

std::optional<duration> request_retries::next(duration at_least) {
    if (left_ <= 0 || at_least > how_.most) {
        return std::nullopt;
    }
    --left_;
    return std::max(waits_.next(), at_least);
}

std::optional<duration> request_retries::after_error(std::error_code code) {
    const bool cut_off = code == error::no_message || code == error::truncated_head;
    return cut_off || how_.when(code) ? next(duration::zero()) : std::nullopt;
}

std::optional<duration> request_retries::after_answer(const response& head) {
    if (!may_pass(head.status)) {
        return std::nullopt;
    }
    return next(retry_after(head).value_or(duration::zero()));
}

}  // namespace leat::http::detail
