// SPDX-License-Identifier: MIT
// simulated_wire: the state that all parts of a simulation share: time and future events, the links, the
// random numbers and faults, the record of events, and the sockets that have changed since the last collect.
// Invariant: a changed socket is in that list once.
#pragma once

#include <leat/backends/simulated/event_hash.hpp>
#include <leat/backends/simulated/event_queue.hpp>
#include <leat/backends/simulated/links.hpp>
#include <leat/backends/simulated/simulation.hpp>

#include <deque>

namespace leat {

struct simulated_socket;

class simulated_wire {
public:
    static constexpr time_point start{std::chrono::hours(1)};

    explicit simulated_wire(const simulation_options& options);

    // When `size` bytes that leave now arrive.
    [[nodiscard]] time_point draw_arrival(int from, int to, std::size_t size);
    // Calls `arrive` when a datagram of `size` bytes has arrived, perhaps at once and before others that were
    // sent earlier; or `lost` when it is known not to.
    void post(int from, int to, std::size_t size, event_queue::action arrive, event_queue::action lost);
    // Calls `what` after the delay of a fault.
    void delay(event_queue::action what) { events.after(luck.up_to(faults.rates().delay), std::move(what)); }
    [[nodiscard]] bool strikes(double simulated_faults::* rate) noexcept {
        return faults.strikes(luck, rate);
    }

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
    fault_source faults;
    simulated_links links;
    event_hash hash;
    std::uint64_t waits = 0;  // operations that had to wait, so far

private:
    std::deque<std::weak_ptr<simulated_socket>> touched_;
};

}  // namespace leat
