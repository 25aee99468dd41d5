// SPDX-License-Identifier: MIT
// Waiting and forking where there is no scheduler: for what starts, watches and ends processes before, or in
// place of, a run (daemon.hpp, prefork.hpp).
#pragma once

#include <leat/clock.hpp>

#include <span>

#include <poll.h>

namespace leat::detail {

// CLOCK_MONOTONIC.
[[nodiscard]] time_point monotonic_now() noexcept;

// poll(2) until something is ready or `deadline` has passed; whether something is. Interrupted, it goes on.
bool poll_until(std::span<pollfd> watched, time_point deadline) noexcept;

// The same for one descriptor that is to become readable.
bool wait_readable(int fd, time_point deadline) noexcept;

// Aborts inside of a run, or when this process has a second thread: a forked child would have a copy of a
// scheduler whose rings and tasks are the parent's, and locks that nobody lets go.
void check_may_fork() noexcept;

}  // namespace leat::detail
