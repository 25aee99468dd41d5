// SPDX-License-Identifier: MIT
// bystander: a background task or timer that does not count for run(): run() ends without it, and if only
// bystanders could still wake something, run() reports a deadlock. The tasks that watch idle connections are
// bystanders. Internal.
#pragma once

#include <leat/core/bystanders.hpp>
#include <leat/core/scheduler.hpp>

namespace leat::detail {

// The running task is a bystander as long as this lives, in its frame.
class bystander : public bystander_link {
public:
    bystander() noexcept : bystander_link(*this_thread.task) { current_bystanders().add(*this); }
    bystander(const bystander&) = delete;
    bystander& operator=(const bystander&) = delete;
    ~bystander() { current_bystanders().remove(*this); }
};

// Armed and disarmed in one run.
class bystander_timer : public timer {
public:
    using function = void (*)(bystander_timer&) noexcept;

    explicit bystander_timer(function when_expired) noexcept : timer(pass), function_(when_expired) {}
    ~bystander_timer() { disarm(); }

    // Throws std::bad_alloc; then it is not armed.
    void arm(time_point when) {
        disarm();
        current_scheduler().alarms().arm(*this, when);
        if (armed()) {  // there is no timer for `never`
            current_bystanders().timer_armed();
        }
    }
    void disarm() noexcept {
        if (armed()) {
            current_scheduler().alarms().disarm(*this);
            current_bystanders().timer_over();
        }
    }

private:
    static void pass(timer& self) noexcept {
        current_bystanders().timer_over();
        auto& passed = static_cast<bystander_timer&>(self);
        passed.function_(passed);
    }

    function function_;
};

}  // namespace leat::detail
