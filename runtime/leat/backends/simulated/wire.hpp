// SPDX-License-Identifier: MIT
// simulated_wire: what every part of a simulation shares: time and what is to come, chance and its faults,
// the record of what happened, and which sockets have changed since the backend looked. Invariant: what is
// carried in one lane arrives in the order in which it was sent.
#pragma once

#include <leat/backends/simulated/event_hash.hpp>
#include <leat/backends/simulated/event_queue.hpp>
#include <leat/backends/simulated/simulation.hpp>

#include <deque>

namespace leat {

struct simulated_socket;

class simulated_wire {
public:
    struct lane {
        time_point last = long_ago;  // arrival
        std::size_t under_way = 0;
    };

    static constexpr time_point start{std::chrono::hours(1)};

    explicit simulated_wire(const simulation_options& options);

    // Calls `arrive`, which keeps `in` alive, after the latency: perhaps at once.
    void carry(lane& in, event_queue::action arrive);
    // Calls `what` after the delay of a fault.
    void delay(event_queue::action what) { events.after(luck.up_to(faults.delay), std::move(what)); }

    // The operations on `socket` are worth a try, now or after the delay of a fault.
    void touch(simulated_socket& socket);
    void touch_later(simulated_socket& socket);
    // Those that were touched, oldest first; null when there is none. One may be closed by now.
    [[nodiscard]] std::shared_ptr<simulated_socket> next_touched();
    [[nodiscard]] bool quiet() const noexcept { return events.empty() && touched_.empty(); }

    void note(simulated_event what, std::uint64_t where, std::int64_t value = 0) noexcept {
        hash.add(what, events.now(), where, value);
    }

    event_queue events;
    chance luck;
    chance program_luck;  // backend::random()
    simulated_faults faults;
    duration latency;
    event_hash hash;
    std::uint64_t waits = 0;  // operations that had to wait, so far

private:
    [[nodiscard]] duration draw_latency() noexcept;

    std::deque<std::weak_ptr<simulated_socket>> touched_;
};

}  // namespace leat
