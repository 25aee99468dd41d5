// SPDX-License-Identifier: MIT
#include <leat/inbox.hpp>

#include <leat/backends/backend.hpp>

namespace leat {

bool inbox::post(std::unique_ptr<message> posted) {
    const std::lock_guard lock(mutex_);
    if (reader_ == nullptr) {
        return false;
    }
    posted_.push_back(std::move(posted));
    if (std::exchange(sleeping_, false)) {
        reader_->wake();  // under the lock, so that the reader cannot be gone
    }
    return true;
}

std::vector<std::unique_ptr<inbox::message>> inbox::take() {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    return std::exchange(posted_, {});
}

bool inbox::about_to_sleep() {
    const std::lock_guard lock(mutex_);
    sleeping_ = posted_.empty();
    return sleeping_;
}

void inbox::close() {
    const std::lock_guard lock(mutex_);
    reader_ = nullptr;
    posted_.clear();
}

}  // namespace leat
