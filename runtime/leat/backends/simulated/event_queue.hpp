// SPDX-License-Identifier: MIT
// event_queue: the time of a simulation, and its future events. Time stands still while programs run; the
// backend moves it when they all wait.
// Invariant: time never goes back, and events of one time happen in the order in which they were added.
#pragma once

#include <leat/clock.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace leat {

class event_queue {
public:
    using action = std::function<void()>;

    explicit event_queue(time_point start) noexcept : now_(start) {}

    [[nodiscard]] time_point now() const noexcept { return now_; }
    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
    // When the next event is due; `never` when there is none.
    [[nodiscard]] time_point next() const noexcept {
        return events_.empty() ? never : events_.begin()->first.first;
    }

    void after(duration delay, action what) { at(leat::after(now_, delay), std::move(what)); }
    void at(time_point when, action what) { events_.emplace(std::pair(when, ++added_), std::move(what)); }

    void advance_to(time_point when) noexcept {
        if (when > now_) {
            now_ = when;
        }
    }
    // Lets happen what is due, and what becomes due by that.
    void run_due() {
        while (next() <= now_ && !events_.empty()) {
            auto due = events_.extract(events_.begin());
            due.mapped()();
        }
    }

private:
    time_point now_;
    std::uint64_t added_ = 0;
    std::map<std::pair<time_point, std::uint64_t>, action> events_;
};

}  // namespace leat
