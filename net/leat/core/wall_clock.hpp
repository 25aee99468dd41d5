// SPDX-License-Identifier: MIT
// wall_clock: the time of day; in a simulation it is virtual. Used for TLS tickets, the validity of
// certificates and cookies.
#pragma once

#include <leat/core/scheduler.hpp>

#include <chrono>

namespace leat::detail {

// By the backend of the run of this thread, or outside a run by the system.
[[nodiscard]] inline std::chrono::system_clock::time_point wall_clock() noexcept {
    return this_thread.loop != nullptr ? this_thread.loop->io().wall_now() : std::chrono::system_clock::now();
}

}  // namespace leat::detail
