// SPDX-License-Identifier: MIT
#include <leat/core/inbox.hpp>

#include <leat/core/backend.hpp>

namespace leat {

// Under the lock, so that the reader cannot be gone.
void inbox::tell_reader() noexcept {
    if (word_.exchange(posted) == sleeping) {
        reader_->wake();
    }
}

bool inbox::post(message& from, std::size_t most) noexcept {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting() >= most) {
        return false;
    }
    waiting_.fetch_add(1, std::memory_order_relaxed);
    posted_.push_back(from);
    tell_reader();
    return true;
}

bool inbox::deliver(message& awaited) noexcept {
    const std::lock_guard lock(mutex_);
    if (reader_ == nullptr) {
        return false;
    }
    waiting_.fetch_add(1, std::memory_order_relaxed);
    posted_.push_back(awaited);
    tell_reader();
    return true;
}

void inbox::nudge() noexcept {
    const std::lock_guard lock(mutex_);
    tell_reader();
}

void inbox::take(list<message>& into) noexcept {
    if (word_.exchange(nothing) == posted) {
        const std::lock_guard lock(mutex_);
        into.append(posted_);
    }
}

// It may say `sleeping` still, if nothing has been posted since: that ends with the next post, which wakes.
bool inbox::about_to_sleep() noexcept {
    unsigned found = word_.load(std::memory_order_relaxed);
    return found == sleeping || (found == nothing && word_.compare_exchange_strong(found, sleeping));
}

void inbox::close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void inbox::abandon(list<message>& left) noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    reader_ = nullptr;
    word_ = nothing;  // awake
    left.append(posted_);
}

}  // namespace leat
