// SPDX-License-Identifier: MIT
// wait_until_idle and advance: wait until all other tasks wait, instead of a sleep of some length.
#pragma once

#include <leat/clock.hpp>
#include <leat/task.hpp>

namespace leat::testing {

// Returns when every other task waits and nothing has come for one; those that call this too are not waited
// for. In a simulation that is exact, except for what is still under way on its network: advance() waits for
// that. On a kernel an event may be on its way: there this only means that no task can run now. Cancelled: no
// effect.
[[nodiscard]] task<> wait_until_idle();

// Returns when `length` of virtual time has passed, everything due by then has run, and every other task
// waits. Misuse where time is real.
[[nodiscard]] task<> advance(duration length);

}  // namespace leat::testing
