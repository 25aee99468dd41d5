// SPDX-License-Identifier: MIT
#include <fetch/engine/rate_limit.hpp>

#include <leat/sleep.hpp>

#include <algorithm>

namespace fetch {

leat::task<> rate_limit::pay(std::size_t bytes) {
    if (!is_limited()) {
        co_return;
    }
    const leat::time_point now = leat::now();
    const std::chrono::duration<double> cost(static_cast<double>(bytes) / static_cast<double>(rate_));
    due_ = leat::after(std::max(due_, now - burst), cost);
    if (due_ > now) {
        co_await leat::sleep_until(due_);
    }
}

}  // namespace fetch
