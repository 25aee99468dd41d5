// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/wire.hpp>

#include <leat/backends/simulated/socket.hpp>

namespace leat {

simulated_wire::simulated_wire(const simulation_options& options)
    : events(start),
      luck(options.seed),
      program_luck(scramble(~options.seed)),
      faults(options.chaos ? fault_source::drawn(luck, options.failures) : options.faults,
             options.quiet_start),
      links(options.latency) {}

time_point simulated_wire::draw_arrival(int from, int to, std::size_t size) {
    const duration most = faults.rates().latency;
    const duration late = luck.up_to(strikes(&simulated_faults::slow_segment) ? most * 100 : most);
    return after(links.arrival(from, to, size, events.now(), luck), late);
}

void simulated_wire::post(int from, int to, std::size_t size, event_queue::action arrive,
                          event_queue::action lost) {
    if (!links.passes(from, to) || links.loses(from, to, luck)) {
        note(simulated_event::lost, static_cast<std::uint64_t>(to), static_cast<std::int64_t>(size));
        lost();
        return;
    }
    const time_point when = draw_arrival(from, to, size);
    if (when <= events.now()) {
        arrive();
        return;
    }
    events.at(when, [this, from, to, size, arrive = std::move(arrive), lost = std::move(lost)] {
        if (links.passes(from, to)) {
            arrive();
        } else {
            note(simulated_event::lost, static_cast<std::uint64_t>(to), static_cast<std::int64_t>(size));
            lost();
        }
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
