// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/lane.hpp>

#include <algorithm>

namespace leat {

namespace {

constexpr duration first_pause = std::chrono::milliseconds(200);  // TCP_RTO_MIN
constexpr duration longest_pause = std::chrono::seconds(120);     // TCP_RTO_MAX
constexpr int tries_max = 15;                                     // net.ipv4.tcp_retries2

duration pause_after(int tries) noexcept {
    return std::min(first_pause * (1 << std::min(tries, 16)), longest_pause);
}

}  // namespace

// A loss on the way costs the time until it is noticed.
time_point simulated_lane::draw_arrival(std::size_t size) {
    duration late{};
    for (int tries = 0; wire_.links.loses(from_, to_, wire_.luck) && tries < tries_max; ++tries) {
        late += pause_after(tries);
    }
    return after(wire_.draw_arrival(from_, to_, size), late);
}

void simulated_lane::carry(std::size_t size, action arrive) {
    if (lost_ != nullptr || !wire_.links.passes(from_, to_)) {
        lose({size, std::move(arrive)});
        return;
    }
    last_ = std::max(last_, draw_arrival(size));
    if (last_ <= wire_.events.now() && under_way_ == 0) {
        arrive();
        return;
    }
    ++under_way_;
    wire_.events.at(last_, [this, size, arrive = std::move(arrive)] {
        --under_way_;
        if (lost_ != nullptr || !wire_.links.passes(from_, to_)) {
            lose({size, arrive});
        } else {
            arrive();
        }
    });
}

void simulated_lane::lose(segment lost) {
    wire_.note(simulated_event::lost, static_cast<std::uint64_t>(to_), static_cast<std::int64_t>(lost.size));
    if (lost_ == nullptr) {
        lost_ = std::make_shared<lost_segments>();
        tries_ = 0;
        try_later();
    }
    lost_->push_back(std::move(lost));
}

// Those that are lost keep the lane alive; once they are forgotten it may be gone.
void simulated_lane::try_later() {
    wire_.events.after(pause_after(tries_), [this, lost = lost_] {
        if (!lost->empty()) {
            try_again();
        }
    });
}

void simulated_lane::try_again() {
    if (wire_.links.passes(from_, to_)) {
        const std::shared_ptr<lost_segments> again = std::exchange(lost_, nullptr);
        for (const segment& each : *again) {
            carry(each.size, each.arrive);
        }
        again->clear();
    } else if (++tries_ > tries_max) {
        const std::shared_ptr<lost_segments> lost = std::exchange(lost_, nullptr);
        given_up_();
        lost->clear();
    } else {
        try_later();
    }
}

void simulated_lane::forget() noexcept {
    if (const std::shared_ptr<lost_segments> lost = std::exchange(lost_, nullptr)) {
        lost->clear();
    }
}

}  // namespace leat
