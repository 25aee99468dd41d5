// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/faults.hpp>

#include <iterator>

namespace leat {

namespace {

constexpr duration microsecond = std::chrono::microseconds(1);

struct fault_kind {
    std::string_view name;
    double simulated_faults::* rate;
    double most;  // that is drawn
    bool failure;
    bool of_disk = false;
};
constexpr fault_kind fault_kinds[] = {
    {"short transfer", &simulated_faults::short_transfer, 0.3, false},
    {"late start", &simulated_faults::late_start, 0.3, false},
    {"late completion", &simulated_faults::late_completion, 0.3, false},
    {"late cancel", &simulated_faults::late_cancel, 0.3, false},
    {"interrupted", &simulated_faults::interrupted, 0.3, false},
    {"scarce buffers", &simulated_faults::scarce_buffers, 0.3, false},
    {"slow segment", &simulated_faults::slow_segment, 0.03, false},
    {"reset", &simulated_faults::reset, 0.01, true},
    {"refused connect", &simulated_faults::refused, 0.1, true},
    {"hanging connect", &simulated_faults::hanging_connect, 0.05, true},
    {"no descriptors", &simulated_faults::no_descriptors, 0.1, true},
    {"accept error", &simulated_faults::accept_error, 0.1, true},
    {"lost datagram", &simulated_faults::lost_datagram, 0.3, true},
    {"datagram twice", &simulated_faults::twice, 0.3, true},
    {"overtaken datagram", &simulated_faults::overtaken, 0.3, true},
    {"no such name", &simulated_faults::no_such_name, 0.1, true},
    {"failed name", &simulated_faults::failed_name, 0.1, true},
    {"silent name", &simulated_faults::silent_name, 0.1, true},
    {"disk error", &simulated_faults::disk_error, 0.05, true, true},
    {"disk full", &simulated_faults::disk_full, 0.05, true, true},
};

}  // namespace

static void draw_rates(simulated_faults& rates, chance& luck, bool failures, bool of_disk) noexcept {
    for (const fault_kind& each : fault_kinds) {
        if (each.of_disk == of_disk && each.failure <= failures && luck.happens(0.5)) {
            rates.*each.rate = each.most * static_cast<double>(luck.below(1000)) / 1000;
        }
    }
}

// Those of disks change no other draw: programs without files take the course that they took before.
simulated_faults fault_source::drawn(chance& luck, bool failures) noexcept {
    simulated_faults rates;
    draw_rates(rates, luck, failures, false);
    rates.delay = microsecond + luck.up_to(1000 * microsecond);
    rates.latency = luck.up_to(luck.happens(0.5) ? 10'000 * microsecond : 100 * microsecond);
    chance apart = luck;
    draw_rates(rates, apart, failures, true);
    return rates;
}

bool fault_source::strikes(chance& luck, double simulated_faults::* rate) noexcept {
    static_assert(std::size(fault_kinds) == kinds);
    if (!luck.happens(rates_.*rate)) {
        return false;
    }
    for (std::size_t at = 0; at < kinds; ++at) {
        counts_[at] += fault_kinds[at].rate == rate ? 1 : 0;
    }
    return true;
}

std::vector<injected_fault> fault_source::injected() const {
    std::vector<injected_fault> found;
    for (std::size_t at = 0; at < kinds; ++at) {
        if (counts_[at] > 0) {
            found.push_back({fault_kinds[at].name, counts_[at]});
        }
    }
    return found;
}

}  // namespace leat
