// SPDX-License-Identifier: MIT
// simulated_links: the links between the hosts of a simulation, for each pair and each direction. Used by
// simulated_wire, which asks it whether and when sent bytes arrive.
// Invariant: a link without settings of its own has those of the simulation's options.
#pragma once

#include <leat/backends/simulated/chance.hpp>
#include <leat/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace leat {

struct simulated_link;

class simulated_links {
public:
    explicit simulated_links(duration latency) noexcept { usual_.latency = latency; }

    void set(int from, int to, const simulated_link& link);
    void cut(int from, int to) { change(from, to).cut = true; }
    void clog(int from, int to, time_point until) { change(from, to).clogged_until = until; }
    void mend(int from, int to);
    void mend_all();

    // A host that is down neither sends nor gets anything.
    void set_up(int host, bool up) {
        if (up) {
            down_.erase(host);
        } else {
            down_.insert(host);
        }
    }

    // Whether anything gets through now.
    [[nodiscard]] bool passes(int from, int to) const noexcept {
        return !down_.contains(from) && !down_.contains(to) && !find(from, to).cut;
    }
    [[nodiscard]] bool loses(int from, int to, chance& luck) const noexcept {
        return luck.happens(find(from, to).loss);
    }
    // When `size` bytes that leave now arrive, but for faults.
    [[nodiscard]] time_point arrival(int from, int to, std::size_t size, time_point now, chance& luck);

private:
    struct state {
        duration latency = {};
        duration spread = {};
        double loss = 0;
        std::uint64_t bandwidth = 0;
        bool cut = false;
        time_point clogged_until = long_ago;
        time_point busy_until = long_ago;  // by what was sent before, where the bandwidth is limited
    };

    [[nodiscard]] const state& find(int from, int to) const noexcept;
    [[nodiscard]] state& change(int from, int to) {
        return links_.try_emplace({from, to}, usual_).first->second;
    }

    state usual_;
    std::map<std::pair<int, int>, state> links_;
    std::set<int> down_;
};

}  // namespace leat
