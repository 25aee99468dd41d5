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

bool inbox::post(std::unique_ptr<message> posted) {
    const std::lock_guard lock(mutex_);
    if (reader_ == nullptr) {
        return false;
    }
    posted_.push_back(std::move(posted));
    wake_reader();
    return true;
}

void inbox::nudge() noexcept {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
    wake_reader();
}

std::vector<std::unique_ptr<inbox::message>> inbox::take() {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    nudged_ = false;
    return std::exchange(posted_, {});
}

bool inbox::about_to_sleep() {
    const std::lock_guard lock(mutex_);
    sleeping_ = posted_.empty() && !nudged_;
    return sleeping_;
}

std::vector<std::unique_ptr<inbox::message>> inbox::close() {
    const std::lock_guard lock(mutex_);
    reader_ = nullptr;
    sleeping_ = false;
    return std::exchange(posted_, {});
}

}  // namespace leat
