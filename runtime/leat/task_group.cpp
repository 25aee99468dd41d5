// SPDX-License-Identifier: MIT
#include <leat/task_group.hpp>

namespace leat::detail {

constinit const wait_kind children_awaiter::for_room{"room in its group", stop_waiting};
constinit const wait_kind children_awaiter::for_place{"room in its group", stop_waiting};
constinit const wait_kind children_awaiter::for_all{"its children", cancel_children};
constinit const wait_kind children_awaiter::for_all_at_last{"its children",
                                                            [](leat::wait&) noexcept { return false; }};

bool children_awaiter::stop_waiting(leat::wait& self) noexcept {
    self.unlink();
    return true;
}

bool children_awaiter::cancel_children(leat::wait& self) noexcept {
    auto& awaiter = static_cast<children_awaiter&>(self);
    awaiter.ends_cancelled = true;
    const group_scope& group = awaiter.group_;
    if (!group.cancelled &&
        !group.stopping) {  // else they are cancelled with it, or by the grace: no recursion
        awaiter.group_.cancel_tasks(cancel_reason::requested);
    }
    return false;
}

// The wait is cancelled before it begins.
void children_awaiter::begin_cancelled() noexcept {
    group_.check_home();
    if (kind == &for_room || kind == &for_place || (kind == &for_all && group_.size == 0)) {
        end = wait_end::cancelled;
    } else if (kind == &for_all) {
        cancel_children(*this);
    }
}

}  // namespace leat::detail
