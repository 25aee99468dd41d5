// SPDX-License-Identifier: MIT
#include <fetch/views/rate.hpp>

#include <chrono>
#include <cmath>

namespace fetch {

void smoothed_rate::add(std::uint64_t amount, leat::time_point now) noexcept {
    using seconds = std::chrono::duration<double>;
    if (now <= last_) {
        return;
    }
    const double passed = seconds(now - last_).count();
    const double weight = std::exp(-passed / seconds(span_).count());
    grown_ = grown_ * weight + (amount > amount_ ? static_cast<double>(amount - amount_) : 0);
    seconds_ = seconds_ * weight + passed;
    amount_ = amount;
    last_ = now;
}

std::optional<double> smoothed_rate::value() const noexcept {
    return seconds_ > 0 ? std::optional(grown_ / seconds_) : std::nullopt;
}

std::optional<double> bytes_left(const run_totals& totals, const known_work& known) noexcept {
    const std::uint64_t ended = totals.fetched + totals.kept + totals.failed;
    if (!totals.jobs.has_value() || *totals.jobs < ended + known.transfers) {
        return {};
    }
    const std::uint64_t others = *totals.jobs - ended - known.transfers;
    const auto left = static_cast<double>(known.left);
    if (others == 0) {
        return left;
    }
    if (ended + known.transfers == 0) {
        return {};
    }
    const double mean =
        (static_cast<double>(totals.received) + left) / static_cast<double>(ended + known.transfers);
    return left + mean * static_cast<double>(others);
}

}  // namespace fetch
