// SPDX-License-Identifier: MIT
#include <leat/core/cross_thread_wait.hpp>

namespace leat::detail {

bool cross_thread_message::send() noexcept {
    const std::shared_ptr<inbox> home = std::move(home_);
    return home->deliver(*this);
}

bool cross_thread_message::send_or_arrive() noexcept {
    if (loop_ != this_thread.loop) {
        return send();
    }
    home_.reset();
    run();
    return true;
}

void cross_thread_message::run() noexcept {
    loop_->heard_from_others();
    arrived();
}

void cross_thread_wait::complete() noexcept {
    check(send_or_arrive(), "a run does not end before what its tasks wait for");
}

}  // namespace leat::detail
