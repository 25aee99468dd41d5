// SPDX-License-Identifier: MIT
#include <leat/core/ticks.hpp>

#include <algorithm>

namespace leat::detail {

tick_clock::scale::scale(const tick_clock& clock) noexcept
    : now_(clock.read()), age_(clock.io_->now() - clock.began_), nanoseconds_(1) {
    if (clock.counts_ && now_ > clock.first_) {
        nanoseconds_ = static_cast<double>(age_.count()) / static_cast<double>(now_ - clock.first_);
    }
}

duration tick_clock::scale::since(std::uint64_t tick) const noexcept {
    return tick < now_ ? std::min(length(now_ - tick), age_) : duration::zero();
}

duration tick_clock::scale::length(std::uint64_t ticks) const noexcept {
    return duration(static_cast<duration::rep>(static_cast<double>(ticks) * nanoseconds_));
}

}  // namespace leat::detail
