// SPDX-License-Identifier: MIT
#include <fetch/engine/rate_limit.hpp>

#include <leat/sleep.hpp>

#include <algorithm>

namespace fetch {

leat::duration rate_limit::time_for(std::uint64_t bytes) const noexcept {
    const double rate = std::max(static_cast<double>(rate_), 1.0);
    return leat::saturate(std::chrono::duration<double>(static_cast<double>(bytes) / rate));
}

leat::task<> rate_limit::pay(std::size_t bytes) {
    if (!is_limited()) {
        co_return;
    }
    const leat::time_point now = leat::now();
    const leat::time_point full = leat::after(leat::long_ago, burst_) < now ? now - burst_ : leat::long_ago;
    due_ = leat::after(std::max(due_, full), time_for(bytes));
    if (due_ > now) {
        co_await leat::sleep_until(due_);
    }
}

}  // namespace fetch
