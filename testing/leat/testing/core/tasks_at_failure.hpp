// SPDX-License-Identifier: MIT
// tasks_at_failure: the list of tasks of a simulated run as they were when it failed: when a timeout passed,
// when an assertion failed, or when the body threw. For simulate().
// Invariant: the list is that of the first of these, but a timeout counts only if it ends the body.
#pragma once

#include <leat/clock.hpp>
#include <leat/task.hpp>

#include <functional>
#include <string>

namespace leat::testing::detail {

class tasks_at_failure {
public:
    // Watches this thread until it dies.
    tasks_at_failure() noexcept;
    tasks_at_failure(const tasks_at_failure&) = delete;
    tasks_at_failure& operator=(const tasks_at_failure&) = delete;
    ~tasks_at_failure();

    // Runs `body`, which outlives it.
    [[nodiscard]] task<> watch(const std::function<task<>()>& body);
    // The list as lines that follow the reason; empty when there is nothing to list.
    [[nodiscard]] std::string text() const;

    // Lists the tasks of the current run, unless it was done before, or the one that runs is the only one:
    // the frames of that are on the stack.
    void note_now() noexcept;

private:
    static void timeout_passes() noexcept;

    tasks_at_failure* outer_;
    std::string list_;
    bool noted_ = false;
    std::string at_timeout_;  // when the latest timeout passed
    time_point timeout_passed_at_ = long_ago;
};

}  // namespace leat::testing::detail
