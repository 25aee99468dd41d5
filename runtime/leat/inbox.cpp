// SPDX-License-Identifier: MIT
#include <leat/inbox.hpp>

#include <leat/backends/backend.hpp>

namespace leat {

// Under the lock, so that the reader cannot be gone.
void inbox::wake_reader() noexcept {
    if (std::exchange(sleeping_, false)) {
        reader_->wake();
    }
}

bool inbox::post(message& posted) noexcept {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        return false;
    }
    posted_.push_back(posted);
    wake_reader();
    return true;
}

void inbox::deliver(message& awaited) noexcept {
    const std::lock_guard lock(mutex_);
    check(reader_ != nullptr, "a run does not end before what its tasks wait for");
    posted_.push_back(awaited);
    wake_reader();
}

void inbox::nudge() noexcept {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
    wake_reader();
}

void inbox::take(list<message>& into) noexcept {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    nudged_ = false;
    into.append(posted_);
}

bool inbox::about_to_sleep() noexcept {
    const std::lock_guard lock(mutex_);
    sleeping_ = posted_.empty() && !nudged_;
    return sleeping_;
}

void inbox::close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void inbox::abandon() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    reader_ = nullptr;
    sleeping_ = false;
}

}  // namespace leat
