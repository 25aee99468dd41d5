// SPDX-License-Identifier: MIT
// What a scheduler does with its inbox: makes it, takes from it, closes it.
#include <leat/core/scheduler.hpp>

#include <climits>
#include <memory>
#include <utility>

namespace leat {

void scheduler::take_inbox(int most) noexcept {
    inbox_->take(arrived_);
    int count = 0;
    for (; count < most && !arrived_.empty(); ++count) {
        arrived_.pop_front().run();
    }
    inbox_->have_run(count);
}

void scheduler::close_inbox() noexcept {
    if (inbox_ == nullptr) {
        return;
    }
    inbox_->close();
    take_inbox(INT_MAX);
}

void scheduler::abandon_inbox() noexcept {
    if (inbox_ == nullptr) {
        return;
    }
    inbox_->abandon(arrived_);
    while (!arrived_.empty()) {
        arrived_.pop_front().drop();
    }
}

const std::shared_ptr<inbox>& scheduler::messages() {
    if (inbox_ == nullptr) {
        inbox_ = std::make_shared<inbox>(*io_);
    }
    return inbox_;
}

remote scheduler::remote() {
    std::shared_ptr<inbox_door> door = door_.lock();
    if (door == nullptr) {
        door = std::make_shared<inbox_door>(messages());
        door_ = door;
    }
    return leat::remote(std::move(door));
}

}  // namespace leat
