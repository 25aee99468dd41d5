// SPDX-License-Identifier: MIT
#include <leat/core/bystanders.hpp>

#include <leat/core/operation.hpp>
#include <leat/core/task_state.hpp>

namespace leat::detail {

bystanders& current_bystanders() noexcept {
    static thread_local bystanders of_this_thread;
    return of_this_thread;
}

bool bystanders::timer_may_wake_task() noexcept {
    for (auto* each = conditional_.first(); each != nullptr; each = conditional_.next(*each)) {
        if (each->may_wake_task()) {
            return true;
        }
    }
    return false;
}

bool bystanders::own_all(std::size_t pending) noexcept {
    if (pending > count_) {
        return false;
    }
    for (auto* each = tasks_.first(); each != nullptr; each = tasks_.next(*each)) {
        wait_facts facts;
        if (const wait* leaf = each->task.waiting; leaf != nullptr && leaf->kind->explain != nullptr) {
            leaf->kind->explain(*leaf, facts);
        }
        pending -= facts.asked != nullptr && !facts.asked->cancel_requested ? 1U : 0U;
    }
    return pending == 0;
}

}  // namespace leat::detail
