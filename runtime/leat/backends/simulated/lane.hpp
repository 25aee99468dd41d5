// SPDX-License-Identifier: MIT
// simulated_lane: one direction of a TCP connection. Bytes arrive once and in order; lost ones are sent
// again, as TCP does. Used by simulated_connection, which owns it.
// Invariant: bytes under way keep the owner of the lane alive.
#pragma once

#include <leat/backends/simulated/wire.hpp>

#include <deque>
#include <memory>

namespace leat {

class simulated_lane {
public:
    using action = event_queue::action;

    // `given_up` is called when something was sent again too often.
    simulated_lane(simulated_wire& wire, int from, int to, action given_up)
        : wire_(wire), from_(from), to_(to), given_up_(std::move(given_up)) {}
    simulated_lane(const simulated_lane&) = delete;
    simulated_lane& operator=(const simulated_lane&) = delete;

    [[nodiscard]] int from() const noexcept { return from_; }
    [[nodiscard]] int to() const noexcept { return to_; }
    // Calls `arrive` when this has arrived: perhaps at once.
    void carry(std::size_t size, action arrive);
    // What is to be sent again is not: its sender has forgotten it.
    void forget() noexcept;

private:
    struct segment {
        std::size_t size;
        action arrive;
    };
    // Owned by the event of the next try, not by the lane, which they keep alive.
    using lost_segments = std::deque<segment>;

    [[nodiscard]] time_point draw_arrival(std::size_t size);
    void lose(segment lost);
    void try_later(const std::shared_ptr<lost_segments>& lost);
    void try_again(const std::shared_ptr<lost_segments>& lost);

    simulated_wire& wire_;
    const int from_;
    const int to_;
    const action given_up_;
    time_point last_ = long_ago;  // arrival
    std::size_t under_way_ = 0;
    std::weak_ptr<lost_segments> lost_;
    int tries_ = 0;
};

}  // namespace leat
