// SPDX-License-Identifier: MIT
#include <leat/testing/nursery.hpp>

#include <leat/core/error_text.hpp>
#include <leat/testing/core/child_errors.hpp>

#include <string>

namespace leat::testing {

namespace {

constexpr cancel_reason end_reason{"its nursery ended"};

constinit const wait_kind end_of_tasks{"the tasks of its nursery", [](wait&) noexcept { return false; }};

// Runs the other tasks, in the midst of the step of this one, until `group` is empty. Meanwhile this one
// waits, as others see it; also while it unwinds.
void run_others(const leat::detail::group_scope& group) {
    running interrupted = this_thread;
    task_state& task = *interrupted.task;
    wait leaf(end_of_tasks);
    leaf.task = &task;
    task.leaf = interrupted.current;
    task.waiting = &leaf;
    task.since = interrupted.tick;
    this_thread = {.loop = interrupted.loop};
    interrupted.loop->run_until_empty(group);
    interrupted.tick = this_thread.tick;
    this_thread = interrupted;
    task.waiting = nullptr;
}

constinit thread_local std::exception_ptr* first_error = nullptr;  // of a run that keeps it

}  // namespace

nursery::nursery(task_group_options options, std::source_location where)
    : task_group(options), where_(where) {
    check(this_thread.task != nullptr, "a nursery is made by a task");
    scope().attach(*this_thread.task->innermost);
    scope().enter(*this_thread.task);
}

nursery::~nursery() {
    scope().cancel(end_reason);
    if (scope().size > 0) {
        run_others(scope());
    }
    scope().leave();
    scope().detach();
    if (const std::exception_ptr& error = scope().first_error) {
        current_scheduler().report("a task of the nursery at " + std::string(where_.file_name()) + ":" +
                                   std::to_string(where_.line()) +
                                   " failed: " + leat::detail::error_text(error));
        if (first_error != nullptr && *first_error == nullptr) {
            *first_error = error;
        }
    }
}

void detail::run_with_child_errors(const std::function<void()>& run) {
    std::exception_ptr error;
    struct kept {
        std::exception_ptr* before;
        ~kept() { first_error = before; }
    } const while_it_runs{std::exchange(first_error, &error)};
    try {
        run();
    } catch (const task_cancelled&) {
        if (error == nullptr) {
            throw;
        }
    }
    if (error != nullptr) {
        std::rethrow_exception(error);
    }
}

}  // namespace leat::testing
