// SPDX-License-Identifier: MIT
// suspends(X): whether a call has to wait or ends at once, which decides whether other tasks run.
//
//   const bool waited = co_await suspends(channel.send(1));
//   CHECK(!waited);
#pragma once

#include <leat/core/task_state.hpp>
#include <leat/task.hpp>

#include <utility>

namespace leat::testing {

// Awaits X, an awaitable, a task or a callable that gives one, and drops what it gives: true if this task was
// suspended meanwhile, if only to let others have a turn. Throws what X throws. Cancelled as X is.
template <typename X>
[[nodiscard]] task<bool> suspends(X&& x) {
    // The frame in which the task was suspended last: each suspension sets another one.
    frame* const before = std::exchange(this_thread.task->leaf, nullptr);
    (void)co_await std::forward<X>(x);
    const bool suspended = this_thread.task->leaf != nullptr;
    if (!suspended) {
        this_thread.task->leaf = before;
    }
    co_return suspended;
}

}  // namespace leat::testing
