// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/wire.hpp>

#include <leat/backends/simulated/socket.hpp>

#include <algorithm>

namespace leat {

namespace {

constexpr duration microsecond = std::chrono::microseconds(1);

// Half of the faults are off in any one run, so that none always hides another.
double drawn_rate(chance& luck) noexcept {
    return luck.happens(0.5) ? static_cast<double>(luck.below(300)) / 1000 : 0;
}

simulated_faults drawn_faults(chance& luck) noexcept {
    simulated_faults drawn;
    drawn.short_transfer = drawn_rate(luck);
    drawn.late_start = drawn_rate(luck);
    drawn.late_completion = drawn_rate(luck);
    drawn.late_cancel = drawn_rate(luck);
    drawn.slow_segment = drawn_rate(luck) / 10;
    drawn.delay = microsecond + luck.up_to(1000 * microsecond);
    drawn.latency = luck.up_to(luck.happens(0.5) ? 10'000 * microsecond : 100 * microsecond);
    return drawn;
}

}  // namespace

simulated_wire::simulated_wire(const simulation_options& options)
    : events(start),
      luck(options.seed),
      program_luck(scramble(~options.seed)),
      faults(options.chaos ? drawn_faults(luck) : options.faults),
      latency(options.latency) {}

duration simulated_wire::draw_latency() noexcept {
    const duration spread = luck.happens(faults.slow_segment) ? faults.latency * 100 : faults.latency;
    return latency + luck.up_to(spread);
}

void simulated_wire::carry(lane& in, event_queue::action arrive) {
    in.last = std::max(in.last, after(events.now(), draw_latency()));
    if (in.last <= events.now() && in.under_way == 0) {
        arrive();
        return;
    }
    ++in.under_way;
    events.at(in.last, [&in, arrive = std::move(arrive)] {
        --in.under_way;
        arrive();
    });
}

void simulated_wire::touch(simulated_socket& socket) {
    if (!socket.touched) {
        socket.touched = true;
        touched_.push_back(socket.weak_from_this());
    }
}

void simulated_wire::touch_later(simulated_socket& socket) {
    delay([this, late = socket.weak_from_this()] {
        if (const auto found = late.lock()) {
            touch(*found);
        }
    });
}

std::shared_ptr<simulated_socket> simulated_wire::next_touched() {
    while (!touched_.empty()) {
        std::shared_ptr<simulated_socket> next = touched_.front().lock();
        touched_.pop_front();
        if (next != nullptr) {
            next->touched = false;
            return next;
        }
    }
    return nullptr;
}

}  // namespace leat
