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
    if (!lost_.expired() || !wire_.links.passes(from_, to_)) {
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
        if (!lost_.expired() || !wire_.links.passes(from_, to_)) {
            lose({size, arrive});
        } else {
            arrive();
        }
    });
}

void simulated_lane::lose(segment lost_now) {
    wire_.note(simulated_event::lost, static_cast<std::uint64_t>(to_),
               static_cast<std::int64_t>(lost_now.size));
    std::shared_ptr<lost_segments> lost = lost_.lock();
    if (lost == nullptr) {
        lost = std::make_shared<lost_segments>();
        lost_ = lost;
        tries_ = 0;
        try_later(lost);
    }
    lost->push_back(std::move(lost_now));
}

// Once they are forgotten the lane may be gone.
void simulated_lane::try_later(const std::shared_ptr<lost_segments>& lost) {
    wire_.events.after(pause_after(tries_), [this, lost] {
        if (!lost->empty()) {
            try_again(lost);
        }
    });
}

void simulated_lane::try_again(const std::shared_ptr<lost_segments>& lost) {
    if (wire_.links.passes(from_, to_)) {
        lost_.reset();
        for (const segment& each : *lost) {
            carry(each.size, each.arrive);
        }
        lost->clear();
    } else if (++tries_ > tries_max) {
        lost_.reset();
        given_up_();
        lost->clear();
    } else {
        try_later(lost);
    }
}

void simulated_lane::forget() noexcept {
    if (const std::shared_ptr<lost_segments> lost = lost_.lock()) {
        lost_.reset();
        lost->clear();
    }
}

}  // namespace leat
