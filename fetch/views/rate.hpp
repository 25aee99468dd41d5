// SPDX-License-Identifier: MIT
// smoothed_rate: how fast something grows, over the last seconds: what is `span` ago counts a third. Right
// from the first moment, and over gaps between the samples.
// bytes_left: an estimate of what a run has still to receive.
#pragma once

#include <fetch/engine/observer.hpp>

#include <leat/clock.hpp>

#include <cstdint>
#include <optional>

namespace fetch {

class smoothed_rate {
public:
    // Counts from `amount` at `begin`.
    smoothed_rate(leat::duration span, leat::time_point begin, std::uint64_t amount = 0) noexcept
        : span_(span), last_(begin), amount_(amount) {}

    // `amount` is all until `now`. One that is less than before counts as no growth.
    void add(std::uint64_t amount, leat::time_point now) noexcept;
    // A second. Nothing before time has passed.
    [[nodiscard]] std::optional<double> value() const noexcept;

private:
    leat::duration span_;
    leat::time_point last_;
    std::uint64_t amount_;
    double grown_ = 0;    // the older, the less it counts
    double seconds_ = 0;  // the same
};

// Of the transfers under way whose size is known.
struct known_work {
    std::uint64_t transfers = 0;
    std::uint64_t left = 0;  // bytes that are still to come
};

// Of all jobs: those of unknown size are taken for as large as the others are in this run, without what an
// earlier run had left and without those that were kept. Nothing while no size is known, or the list is not
// at its end.
[[nodiscard]] std::optional<double> bytes_left(const run_totals& totals, const known_work& known) noexcept;

}  // namespace fetch
