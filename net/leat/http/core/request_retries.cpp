// SPDX-License-Identifier: MIT
#include <leat/http/core/request_retries.hpp>

#include <leat/check.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/http_date.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <cstdint>

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

std::optional<duration> request_retries::after_answer(const response& head,
                                                      std::chrono::system_clock::time_point wall) {
    if (!may_pass(head.status)) {
        return std::nullopt;
    }
    const auto asked = head.headers.get("Retry-After");
    return next(asked ? retry_after(*asked, wall).value_or(duration::zero()) : duration::zero());
}

std::optional<duration> retry_after(std::string_view value,
                                    std::chrono::system_clock::time_point wall) noexcept {
    constexpr std::uint64_t longest = std::uint64_t(100) * 366 * 24 * 3600;
    if (const auto seconds = leat::detail::parse_number<std::uint64_t>(value)) {
        return std::chrono::seconds(std::min(*seconds, longest));
    }
    const auto date = parse_date(value);
    if (!date) {
        return std::nullopt;
    }
    const auto left = *date - std::chrono::floor<std::chrono::seconds>(wall);
    return std::clamp<std::chrono::seconds>(left, std::chrono::seconds(0), std::chrono::seconds(longest));
}

}  // namespace leat::http::detail
