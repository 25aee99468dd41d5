// SPDX-License-Identifier: MIT
#include <leat/core/cross_thread_wait.hpp>

namespace leat::detail {

void cross_thread_wait::complete() noexcept {
    const std::shared_ptr<inbox> home = std::move(home_);
    if (loop_ == this_thread.loop) {
        run();
    } else {
        home->deliver(*this);
    }
}

void cross_thread_wait::run() noexcept {
    loop_->heard_from_others();
    loop_->finish(*this);
}

}  // namespace leat::detail
