// SPDX-License-Identifier: MIT
#include <leat/task_group.hpp>

namespace leat {

namespace {

bool stop_watching(wait& self) noexcept {
    self.unlink();
    return true;
}

bool keep_watching(wait&) noexcept {
    return false;
}

}  // namespace

constinit const wait_kind detail::children_awaiter::interruptible{"room in its group", stop_watching};
constinit const wait_kind detail::children_awaiter::uninterruptible{"its children", keep_watching};

task<> task_group::below_limit() {
    while (scope_.size >= limit_) {
        co_await detail::children_awaiter(scope_, limit_, detail::children_awaiter::interruptible);
    }
}

}  // namespace leat
