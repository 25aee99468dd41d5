// SPDX-License-Identifier: MIT
// simulated_faults: the faults that a simulation injects, the probability of each, and how often each was
// injected. Used by simulation_options, and through simulated_wire by every part that has faults.
#pragma once

#include <leat/backends/simulated/chance.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace leat {

// How likely each thing is, from 0 to 1, whenever it can happen.
struct simulated_faults {
    // No program should notice these.
    double short_transfer = 0;   // a read or a write does only a part
    double late_start = 0;       // an operation that could complete at once does not
    double late_completion = 0;  // what has been done is told later: a cancel comes too late then
    double late_cancel = 0;      // what is cancelled ends later, perhaps with success
    double interrupted = 0;      // of those: what ends as cancelled ends with EINTR
    double scarce_buffers = 0;   // a chunk is small and on the heap
    duration delay = {};         // at most, for each of these
    duration latency = {};       // added to that of the network, at most, for whatever is sent
    double slow_segment = 0;     // or, so often, a hundred times as much
    // These make operations fail.
    double reset = 0;            // of a connection, for whatever is sent on it
    double refused = 0;          // a connect, although the port is listened on
    double hanging_connect = 0;  // a connect gets no answer, and times out after 127 s
    double no_descriptors = 0;   // opening or accepting: EMFILE, ENFILE, ENOBUFS or ENOMEM
    double accept_error = 0;     // ECONNABORTED or the like; the connection is reset
    double lost_datagram = 0;
    double twice = 0;         // a datagram arrives twice
    double overtaken = 0;     // a datagram takes up to 10 ms more, so that others overtake it
    double no_such_name = 0;  // a look-up does not know the name
    double failed_name = 0;   // a look-up fails
    double silent_name = 0;   // a look-up has no answer
    double disk_error = 0;    // reading, writing or syncing a file: EIO
    double disk_full = 0;     // writing to a file: ENOSPC
};

// A kind of fault, and how often it was injected.
struct injected_fault {
    std::string_view name;
    std::uint64_t count;
};

// Faults as chance has them. Invariant: each fault that is told has been counted.
class fault_source {
public:
    // None happens before begin() when `later`.
    explicit fault_source(const simulated_faults& rates, bool later = false) noexcept
        : all_(rates), rates_(later ? simulated_faults() : rates) {}

    // Rates that are drawn: half of them are 0 in any one run, so that none always hides another.
    [[nodiscard]] static simulated_faults drawn(chance& luck, bool failures) noexcept;

    // Whether this one happens now.
    [[nodiscard]] bool strikes(chance& luck, double simulated_faults::* rate) noexcept;
    [[nodiscard]] const simulated_faults& rates() const noexcept { return rates_; }
    // They happen from now on; and none does.
    void begin() noexcept { rates_ = all_; }
    void stop() noexcept { rates_ = {}; }
    [[nodiscard]] std::vector<injected_fault> injected() const;

private:
    static constexpr std::size_t kinds = 20;

    simulated_faults all_;
    simulated_faults rates_;  // now: all_ or none
    std::array<std::uint64_t, kinds> counts_{};
};

}  // namespace leat
