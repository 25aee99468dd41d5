// SPDX-License-Identifier: MIT
#include <leat/threads/remote_call.hpp>

namespace leat::detail {

void arriving_task::run() noexcept {
    scheduler& loop = current_scheduler();
    loop.spawn(*state_.release(), loop.root());
    delete this;
}

constinit const wait_kind call_wait::call_kind{"a call on another thread", cancel};

bool call_wait::begins_cancelled() noexcept {
    check(this_thread.task != nullptr, "a call is awaited by a task");
    check(end == wait_end::pending && home_ == nullptr, "the call was awaited before");
    if (this_thread.task->cancelled()) {
        end = wait_end::cancelled;
    }
    return end == wait_end::cancelled;
}

void call_wait::send(reference<task_state> state) {
    home_loop_ = &current_scheduler();
    home_ = home_loop_->messages();
    task_there_ = state.get();
    away_ = 1;
    go_.arrive = [](call_wait& call) noexcept {
        scheduler& there = current_scheduler();
        there.spawn(*call.task_there_, there.root());
    };
    if (!to_.post_message(go_)) {
        throw run_ended();
    }
    (void)state.release();  // that scheduler's, and perhaps gone
    home_loop_->await_others();
}

void call_wait::task_ended() noexcept {
    task_there_ = nullptr;
    send_home(go_);
}

// There. The call may be gone once its last message is on the way.
void call_wait::send_home(hop& from) noexcept {
    const std::shared_ptr<inbox> home = home_;
    from.arrive = [](call_wait& call) noexcept { call.came_home(); };
    check(home->deliver(from), "a run does not end before what its tasks wait for");
}

void call_wait::came_home() noexcept {
    if (--away_ > 0) {
        return;
    }
    home_loop_->heard_from_others();
    if (cancel_asked_ && task_was_cancelled()) {
        home_loop_->abandon(*this);
    } else {
        home_loop_->finish(*this);
    }
}

// That scheduler died without having run.
void call_wait::lost() noexcept {
    check(false, "a scheduler that others call runs");
}

bool call_wait::cancel(wait& self) noexcept {
    auto& call = static_cast<call_wait&>(self);
    if (std::exchange(call.cancel_asked_, true)) {
        return false;
    }
    call.stop_.arrive = [](call_wait& stopped) noexcept {
        if (stopped.task_there_ != nullptr) {
            stopped.task_there_->own().cancel(cancel_reason::requested);
        }
        stopped.send_home(stopped.stop_);
    };
    call.away_ += call.to_.post_message(call.stop_) ? 1 : 0;
    return false;
}

}  // namespace leat::detail
