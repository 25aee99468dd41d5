// SPDX-License-Identifier: MIT
// group_scope: the scope that owns child tasks. The root of every run is one, and each task_group has one.
// Invariant: it does not end before its tasks; `size` counts those that have not ended.
#pragma once

#include <leat/check.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/core/wait.hpp>

#include <cstddef>
#include <exception>

namespace leat::detail {

// A wait for a group to have fewer than `below` tasks.
struct group_watcher : wait {
    group_watcher(const wait_kind& what, std::size_t fewer_than) noexcept : wait(what), below(fewer_than) {}

    std::size_t below;
    bool takes_place = false;     // it waits to add one task: as many are woken as there are places
    bool ends_cancelled = false;  // it was cancelled, and ends as cancelled after the tasks
};

struct group_scope : entered_scope {
    // Whether a child's error goes to the group's owner or to the child's handle.
    enum class errors : bool { to_handles, to_group };

    // Belongs to the run that it is made in, or to `of`.
    explicit group_scope(errors where, const scheduler* of = this_thread.loop) noexcept
        : entered_scope(scope_kind::catching), home(of), error_policy(where) {}

    void check_home() const noexcept {
        check(home == this_thread.loop, "a task group is used in its own run");
    }

    // Keeps the first error, for the owner to rethrow, and cancels the group. False: it had one already.
    bool fail(std::exception_ptr error) noexcept {
        if (first_error != nullptr) {
            return false;
        }
        first_error = std::move(error);
        cancel(cancel_reason::error);
        return true;
    }

    // Takes over a task, by its own scope, from the group it is in.
    void adopt(scope_node& own) noexcept {
        --static_cast<group_scope&>(*own.parent).size;
        own.detach();
        own.attach(*this);
        ++size;
    }

    // Cancels the tasks but not the scope itself.
    void cancel_tasks(cancel_reason why) noexcept {
        for (scope_node* child = children.first(); child != nullptr; child = children.next(*child)) {
            if (child->is_task()) {
                child->cancel(why);
            }
        }
    }

    const scheduler* home;
    errors error_policy;
    std::size_t size = 0;
    std::size_t promised = 0;  // places for watchers that have been woken and have not run yet
    list<group_watcher> watchers;
    std::exception_ptr first_error;
    bool stopping = false;   // the tasks end by themselves, or are cancelled when the grace has passed
    bool cut_short = false;  // a task of it ended as cancelled because the group was
};

}  // namespace leat::detail
