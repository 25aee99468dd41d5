// SPDX-License-Identifier: MIT
#include <leat/sync/mutex.hpp>

namespace leat {

void mutex::release() noexcept {
    if (waiting_.empty()) {
        locked_ = false;
    } else {
        give(static_cast<detail::lock_wait&>(waiting_.pop_front()));
    }
}

void mutex::give_or_enqueue(detail::lock_wait& next) noexcept {
    if (take()) {
        give(next);
    } else {
        waiting_.push_back(next);
    }
}

void mutex::give(detail::lock_wait& next) noexcept {
    holder_ = next.task->id;
    if (next.ends_cancelled) {
        current_scheduler().abandon(next);
    } else {
        current_scheduler().finish(next);
    }
}

constinit const wait_kind condition::wait_awaiter::condition_kind{"a condition", cancel};

// Before it was notified it ends as cancelled, but with the mutex; afterwards it is no longer cancelled.
bool condition::wait_awaiter::cancel(leat::wait& self) noexcept {
    auto& waiter = static_cast<wait_awaiter&>(self);
    if (!waiter.notified_) {
        waiter.unlink();
        waiter.ends_cancelled = true;
        waiter.relock();
    }
    return false;
}

void condition::notify_one() noexcept {
    if (!waiting_.empty()) {
        static_cast<wait_awaiter&>(waiting_.pop_front()).relock();
    }
}

void condition::notify_all() noexcept {
    while (!waiting_.empty()) {
        notify_one();
    }
}

}  // namespace leat
