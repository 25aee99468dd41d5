// SPDX-License-Identifier: MIT
#include <leat/threads/thread_channel.hpp>

namespace leat::detail {

void thread_stop::release() noexcept {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_one();
}

void thread_stop::wait() noexcept {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return released_; });
}

void check_may_block() noexcept {
    check(this_thread.loop == nullptr, "a thread that is in run() does not block for a channel: await it");
}

}  // namespace leat::detail
