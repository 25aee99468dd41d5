// SPDX-License-Identifier: MIT
#include <leat/core/outside_wait.hpp>

namespace leat::detail {

void outside_wait::complete() noexcept {
    const std::shared_ptr<inbox> home = std::move(home_);
    if (loop_ == this_thread.loop) {
        run();
    } else {
        home->deliver(*this);
    }
}

void outside_wait::run() noexcept {
    loop_->heard_from_others();
    loop_->finish(*this);
}

}  // namespace leat::detail
