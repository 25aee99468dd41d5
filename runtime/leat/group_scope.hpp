// SPDX-License-Identifier: MIT
// group_scope: the scope that owns child tasks. The root of every run is one, and each task_group has one.
// Invariant: it does not end before its tasks; `size` counts those that have not ended.
#pragma once

#include <leat/cancel_scope.hpp>
#include <leat/wait.hpp>

#include <cstddef>
#include <exception>

namespace leat {

struct group_scope : cancel_scope {
    // Who learns of a child's error: the group's owner, or the holder of the child's handle.
    enum class errors : bool { to_handles, to_group };

    explicit group_scope(errors where) noexcept : cancel_scope(scope_kind::catching), error_policy(where) {}

    // Keeps the first error, for the owner to rethrow, and cancels the group. False: it had one already.
    bool fail(std::exception_ptr error) noexcept {
        if (first_error != nullptr) {
            return false;
        }
        first_error = std::move(error);
        cancel(cancel_reason::error);
        return true;
    }

    errors error_policy;
    std::size_t size = 0;
    list<wait> watchers;  // waits that end when a child has ended; they look at `size` again
    std::exception_ptr first_error;
};

}  // namespace leat
