// SPDX-License-Identifier: MIT
// frame_upkeep: frees, little by little, the unused frames that a thread does not need. Called by the
// scheduler's loop.
//
// Theory of operation. A thread may keep frame_pool::kept_most bytes of each size for good. Above that, a
// part is freed in each period: the blocks that were not needed at any moment of the period, but at most as
// many as take the loop about a millisecond. So a program with frequent bursts keeps its frames, and the
// memory of a single burst is freed within seconds.
#pragma once

#include <leat/clock.hpp>

#include <chrono>
#include <cstddef>

namespace leat::detail::frame_pool {

inline constexpr duration upkeep_period = std::chrono::milliseconds(250);
inline constexpr std::size_t given_back_most = 16'384;  // blocks, in a period

// Whether this thread keeps more of some size than it may for good.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local bool has_surplus = false;

// Frees what is due at `now`. Returns when to call it again, `never` if nothing is left to free.
time_point give_back_surplus(time_point now) noexcept;

}  // namespace leat::detail::frame_pool
