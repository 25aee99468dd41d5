// SPDX-License-Identifier: MIT
// report_rows: the transfers that a report shows one by one: of a run of any length no more than fit into a
// page. Those that failed, the slowest of the others, and a sample of the rest, each drawn with the same
// chance. A run that is not longer than these limits is kept whole.
#pragma once

#include <fetch/engine/transfer.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fetch {

// What is kept of a transfer that has ended.
struct report_row {
    std::uint64_t number = 0;
    std::string url = {};  // at most 500 bytes, as the others
    std::string file = {};
    std::string failure = {};
    failure_kind kind = failure_kind::other;  // if it has failed
    transfer_state state = transfer_state::fetched;
    int status = 0;
    int tries = 0;
    std::uint64_t received = 0;
    transfer_times times = {};

    [[nodiscard]] leat::duration length() const noexcept {
        return times.end.value_or(times.begin) - times.begin;
    }
};

[[nodiscard]] report_row report_row_of(const transfer& of);

struct report_limits {
    std::size_t failed = 5000;
    std::size_t slowest = 5000;
    std::size_t sample = 10'000;
};

class report_rows {
public:
    explicit report_rows(report_limits limits = {}) : limits_(limits) {}

    void add(report_row one);
    // All, in the order in which they began; none is left here.
    [[nodiscard]] std::vector<report_row> take();
    // How many are not among them.
    [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }
    [[nodiscard]] const report_limits& limits() const noexcept { return limits_; }

private:
    // Of all that were offered to it, `seen` with this one, so many are kept, each with the same chance.
    void draw_lot(std::vector<report_row>& kept, std::size_t most, std::uint64_t seen, report_row one);

    report_limits limits_;
    std::vector<report_row> failed_;
    std::vector<report_row> slowest_;  // a heap, whose first one is the fastest
    std::vector<report_row> sample_;
    std::uint64_t failed_seen_ = 0;
    std::uint64_t sample_seen_ = 0;
    std::uint64_t left_out_ = 0;
    std::mt19937_64 random_;
};

}  // namespace fetch
