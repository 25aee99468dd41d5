// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/links.hpp>

#include <leat/backends/simulated/simulation.hpp>

#include <algorithm>

namespace leat {

const simulated_links::state& simulated_links::find(int from, int to) const noexcept {
    const auto found = links_.find({from, to});
    return found != links_.end() ? found->second : usual_;
}

void simulated_links::set(int from, int to, const simulated_link& link) {
    state& changed = change(from, to);
    changed.latency = link.latency;
    changed.spread = link.spread;
    changed.loss = link.loss;
    changed.bandwidth = link.bandwidth;
}

void simulated_links::mend(int from, int to) {
    state& changed = change(from, to);
    changed.cut = false;
    changed.clogged_until = long_ago;
}

void simulated_links::mend_all() {
    for (auto& each : links_) {
        each.second.cut = false;
        each.second.clogged_until = long_ago;
    }
}

time_point simulated_links::arrival(int from, int to, std::size_t size, time_point now, chance& luck) {
    const state& link = find(from, to);
    time_point departure = std::max(now, link.clogged_until);
    if (link.bandwidth > 0) {
        state& used = change(from, to);
        departure = std::max(departure, used.busy_until);
        departure += std::chrono::nanoseconds(size * 1'000'000'000 / used.bandwidth);
        used.busy_until = departure;
    }
    return after(departure, link.latency + luck.up_to(link.spread));
}

}  // namespace leat
