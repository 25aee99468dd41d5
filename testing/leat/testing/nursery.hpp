// SPDX-License-Identifier: MIT
// nursery: a task group that ends where it goes out of scope, also when the test throws: its tasks are then
// cancelled and awaited, before the variables above it die. A test spawns in it whatever refers to its own
// variables.
//
//   leat::event ready;
//   leat::testing::nursery tasks;      // below all that the tasks refer to
//   tasks.spawn([&]() -> leat::task<> { co_await ready.wait(); });
//   REQUIRE(...);                      // may throw
//
// Theory of operation. A destructor cannot wait. This one runs the loop, in the midst of the step of its own
// task, until the children have ended. That suits a test, which nobody waits for; programs use
// with_task_group.
// Invariant: no child outlives it.
#pragma once

#include <leat/task_group.hpp>

#include <source_location>

namespace leat::testing {

// Made and destroyed by one task, in its coroutine or in a function that this calls. What is declared below
// it dies before its children do. A child's error cancels the other children and the body, as in
// with_task_group; LEAT_TEST and simulate() fail with it, and it is reported. At the end of the block the
// children that are left are cancelled; `co_await tasks.wait()` waits for them instead. No child may wait
// for something that its own task is still to do by then, nor for a task that is ending a nursery itself.
class nursery : public task_group {
public:
    explicit nursery(task_group_options options = {},
                     std::source_location where = std::source_location::current());
    ~nursery();

private:
    std::source_location where_;
};

}  // namespace leat::testing
