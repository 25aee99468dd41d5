// SPDX-License-Identifier: MIT
#include <leat/sync/semaphore.hpp>

namespace leat {

constinit const wait_kind semaphore::acquire_awaiter::acquire_kind{"a semaphore", cancel};

// Those behind it may have waited only for it to have its many.
bool semaphore::acquire_awaiter::cancel(wait& self) noexcept {
    self.unlink();
    static_cast<acquire_awaiter&>(self).wanted_->give();
    return true;
}

bool semaphore::take(std::size_t count) noexcept {
    if (!waiting_.empty() || count > available_) {
        return false;
    }
    available_ -= count;
    return true;
}

void semaphore::release(std::size_t count) noexcept {
    available_ += count;
    give();
}

void semaphore::give() noexcept {
    while (!waiting_.empty()) {
        const std::size_t count = static_cast<acquire_awaiter&>(waiting_.front()).count_;
        if (count > available_) {
            return;
        }
        available_ -= count;
        waiting_.wake_one();
    }
}

}  // namespace leat
