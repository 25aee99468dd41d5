// SPDX-License-Identifier: MIT
// child_errors: how the error of a nursery's child fails the test that it belongs to: the destructor of the
// nursery cannot throw it, so the run does. For run_on() and simulate().
#pragma once

#include <functional>

namespace leat::testing::detail {

// Calls `run`, which runs the tasks of a test. Throws what it throws; or the first error of a nursery's
// child, when it returns or only tells that the test was cancelled.
void run_with_child_errors(const std::function<void()>& run);

}  // namespace leat::testing::detail
