// SPDX-License-Identifier: MIT
#include <leat/http/retry_after.hpp>

#include <leat/core/number.hpp>
#include <leat/core/wall_clock.hpp>
#include <leat/http/core/http_date.hpp>

#include <algorithm>
#include <cstdint>

namespace leat::http {

std::optional<duration> retry_after(const response& head,
                                    std::chrono::system_clock::time_point now) noexcept {
    constexpr std::uint64_t longest = std::uint64_t(100) * 366 * 24 * 3600;
    const auto value = head.headers.get("Retry-After");
    if (!value) {
        return std::nullopt;
    }
    if (const auto seconds = leat::detail::parse_number<std::uint64_t>(*value)) {
        return std::chrono::seconds(std::min(*seconds, longest));
    }
    const auto date = detail::parse_date(*value);
    if (!date) {
        return std::nullopt;
    }
    const auto left = *date - std::chrono::floor<std::chrono::seconds>(now);
    return std::clamp<std::chrono::seconds>(left, std::chrono::seconds(0), std::chrono::seconds(longest));
}

std::optional<duration> retry_after(const response& head) noexcept {
    return retry_after(head, leat::detail::wall_clock());
}

}  // namespace leat::http
