// SPDX-License-Identifier: MIT
// The part of the supervisor that is about workers that are ready: the start, and rolling restarts.
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/supervisor.hpp>
#include <leat/system/notify.hpp>

#include <algorithm>
#include <iterator>
#include <system_error>

#include <unistd.h>

namespace leat::detail {

void supervisor::hear() {
    pid_t told = 0;
    while (::read(heard_.get(), &told, sizeof told) == sizeof told) {
        const auto found = std::ranges::find(workers_, told, &worker::id);
        if (found != workers_.end() && !found->ready) {
            take_readiness(*found);
        }
    }
}

void supervisor::take_readiness(worker& each) {
    each.ready = true;
    each.ready_by = never;
    if (each.is == role::leaving) {
        return;
    }
    if (each.id == rolling_) {
        each.is = role::serving;
        for (worker& other : workers_) {
            if (&other != &each && other.index == each.index && other.is == role::serving) {
                tell_to_end(other);
            }
        }
        roll_from(each.index + 1);
        return;
    }
    const auto serves = [](const worker& one) { return one.ready && one.is == role::serving; };
    if (!started_ && std::ranges::count_if(workers_, serves) == std::ssize(places_)) {
        all_are_ready();
    }
}

void supervisor::all_are_ready() {
    started_ = true;
    if (options_.on_ready != nullptr) {
        options_.on_ready();
    }
    notify_or_report(notify_ready);
    if (watchdog_.has_value()) {
        next_ping_ = monotonic_now();
    }
}

// One that is asked for before all workers are ready, or during another, comes after that.
void supervisor::roll_if_wanted() {
    if (roll_wanted_ && started_ && !stopping_ && rolling_ == 0) {
        roll_wanted_ = false;
        notify_or_report(notify_reloading);
        roll_from(0);
    }
}

// A place where nobody serves gets a new worker anyway.
void supervisor::roll_from(unsigned index) {
    rolling_ = 0;
    const std::vector<bool> filled = filled_places();
    while (index < places_.size() && !filled[index]) {
        ++index;
    }
    if (index == places_.size()) {
        stop_rolling({});
        return;
    }
    try {
        begin(index, role::successor);
        rolling_ = workers_.back().id;
    } catch (const std::system_error& error) {
        stop_rolling(error.what());
    }
}

void supervisor::stop_rolling(const std::string& why) {
    rolling_ = 0;
    if (!why.empty()) {
        report(why + "; the rolling restart ends, the workers that are left go on");
    }
    if (!stopping_) {
        notify_or_report(notify_ready);
    }
}

}  // namespace leat::detail
