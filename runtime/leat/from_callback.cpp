// SPDX-License-Identifier: MIT
#include <leat/from_callback.hpp>

namespace leat::detail {

namespace {

// An exception for an error; for want of memory for its text, that want.
template <typename Error, typename... Arguments>
std::exception_ptr made(const Arguments&... arguments) noexcept {
    try {
        return std::make_exception_ptr(Error(arguments...));
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace

callback_state::callback_state(called_from where) : where_(where) {
    if (where == called_from::any_thread) {
        expect();
    } else {
        loop_ = &current_scheduler();
    }
}

void callback_state::settle() noexcept {
    owners_.fetch_add(1, std::memory_order_relaxed);  // the message
    if (where_ == called_from::own_thread) {
        check(this_thread.loop == loop_, "a callback comes on the thread of its task");
        arrived();
    } else if (!send_or_arrive()) {
        let_go();
    }
}

void callback_state::arrived() noexcept {
    settled_ = true;
    if (wait* ended = std::exchange(waiter, nullptr)) {
        stopped() ? loop_->abandon(*ended) : loop_->finish(*ended);
    }
    let_go();
}

bool callback_state::fail(std::exception_ptr error, bool nothing_comes) noexcept {
    if (!claim()) {
        return false;
    }
    set_error(std::move(error));
    nothing_comes_ = nothing_comes;
    settle();
    return true;
}

bool callback_state::fail(std::error_code error) noexcept {
    return fail(made<std::system_error>(error, "a callback"), error == std::errc::operation_canceled);
}

void callback_state::drop_callback() noexcept {
    if (callbacks_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        if (!claimed_.load(std::memory_order_relaxed)) {
            fail(made<callback_dropped>(), true);
        }
        let_go();
    }
}

// What comes now comes for nobody.
void callback_state::wait_is_over() noexcept {
    waiter = nullptr;
    if (claim() && where_ == called_from::any_thread) {
        withdraw();
    }
    let_go();
}

void callback_state::let_go() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete this;
    }
}

bool callback_wait::await_ready() noexcept {
    end = state->stopped() ? wait_end::cancelled : state->settled() ? wait_end::finished : wait_end::pending;
    return end == wait_end::finished && detail::spend_budget();
}

void callback_wait::suspend(frame& waiter) noexcept {
    if (end == wait_end::pending) {
        state->waiter = this;
    }
    scheduler::suspend(waiter, *this);
}

// Asked again in a run where nothing can go on, it gives up: nobody is left who could call.
bool callback_wait::note(wait& self) noexcept {
    callback_state& state = *static_cast<callback_wait&>(self).state;
    if (!std::exchange(state.asked, true) || !current_scheduler().deadlocked()) {
        return false;
    }
    state.waiter = nullptr;
    return true;
}

bool callback_wait::stop_waiting(wait& self) noexcept {
    callback_state& state = *static_cast<callback_wait&>(self).state;
    state.asked = true;
    state.waiter = nullptr;
    current_scheduler().finish(self);
    return false;
}

const wait_kind callback_wait::to_the_end{"a callback", note};
const wait_kind callback_wait::until_asked{"a callback", stop_waiting};

}  // namespace leat::detail
