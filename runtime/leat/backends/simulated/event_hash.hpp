// SPDX-License-Identifier: MIT
// event_hash: what happened in a simulation, in 64 bits. Two runs that give the same hash took the same
// course; two runs of one seed that do not show that something outside the simulation had a say.
#pragma once

#include <leat/backends/simulated/chance.hpp>

#include <cstdint>

namespace leat {

enum class simulated_event : std::uint8_t {
    submitted,  // an operation; value: its kind
    completed,  // value: its result
    cancelled,  // asked to end
    retired,
    arrived,  // on the wire. value: bytes
    ended,    // the end of a stream arrived
    reset,    // a reset arrived
    refused,
    connected,
    lost,  // on the wire, or a request to connect found a full queue. value: bytes, or tries
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
