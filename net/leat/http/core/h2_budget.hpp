// SPDX-License-Identifier: MIT
// h2_budget: how many frames that ask for work and bring nothing an HTTP/2 peer may send: pings, settings,
// resets, empty and unknown frames. A connection begins with some, gets more each second, and by what is sent
// that the peer may acknowledge: requests, and frames of bodies. A peer that spends all of it floods. Used by
// h2_session and h2_client_session.
#pragma once

#include <leat/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat::http::detail {

class h2_budget {
public:
    static constexpr std::int64_t most = 1000;
    static constexpr std::int64_t a_second = 100;

    explicit h2_budget(time_point now) noexcept : filled_at_(now) {}

    // False when nothing is left.
    [[nodiscard]] bool spend(std::int64_t cost, time_point now) noexcept {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - filled_at_).count();
        if (seconds > 0) {
            filled_at_ += std::chrono::seconds(seconds);
            earn(std::min<std::int64_t>(seconds, most) * a_second);
        }
        left_ -= cost;
        return left_ >= 0;
    }
    void earn(std::int64_t more) noexcept { left_ = std::min(left_ + more, most); }

private:
    std::int64_t left_ = most;
    time_point filled_at_;
};

}  // namespace leat::http::detail
