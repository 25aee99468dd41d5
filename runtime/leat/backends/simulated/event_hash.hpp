// SPDX-License-Identifier: MIT
// event_hash: a hash of 64 bits of all that happened in a simulation. Two runs with the same hash took the
// same course. If two runs of one seed have different hashes, they depend on something outside of the
// simulation.
#pragma once

#include <leat/backends/simulated/chance.hpp>

#include <cstdint>

namespace leat {

enum class simulated_event : std::uint8_t {
    submitted,  // an operation; value: its kind
    completed,  // value: its result
    cancelled,  // asked to end
    retired,
    arrived,  // at the receiver. value: bytes
    ended,    // the end of a stream arrived
    reset,    // a reset arrived
    refused,
    connected,
    lost,  // on the way, or a request to connect found a full queue. value: bytes, or tries
    crashed,
    restarted,
    resolved,  // a name. value: how
};

class event_hash {
public:
    void add(simulated_event what, time_point when, std::uint64_t where, std::int64_t value) noexcept {
        ++count_;
        mix(static_cast<std::uint64_t>(what));
        mix(static_cast<std::uint64_t>(when.time_since_epoch().count()));
        mix(where);
        mix(static_cast<std::uint64_t>(value));
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    void mix(std::uint64_t part) noexcept { value_ = scramble(value_ ^ part); }

    std::uint64_t value_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace leat
