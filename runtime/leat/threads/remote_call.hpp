// SPDX-License-Identifier: MIT
// remote.spawn and remote.call: start tasks on the scheduler of another thread.
//
// Theory of operation of a call. It is kept in the frame of the waiting task, on its home thread, and works
// by messages between two inboxes. `go_` carries the new task there, and comes home when that task has ended,
// with its result in the call. A cancellation sends `stop_` after it, which asks the task to end and comes
// home as well. The wait ends when every message that was sent is home, so the frame lives as long as any
// thread uses it; the outcome of the task decides how. An accepted message is run even when that run is
// ending (inbox.hpp), so the task always begins and ends, and `go_` always comes home.
#pragma once

#include <leat/core/detachable.hpp>
#include <leat/spawn.hpp>

#include <memory>

namespace leat {

// Thrown by a remote.call to a run that has ended; its code is std::errc::no_such_process.
class run_ended : public std::system_error {
public:
    run_ended()
        : system_error(std::make_error_code(std::errc::no_such_process), "the run of this remote has ended") {
    }
};

namespace detail {

// A task on its way to the scheduler that it was spawned on.
class arriving_task final : public inbox::message {
public:
    explicit arriving_task(reference<task_state> state) noexcept : state_(std::move(state)) {}
    void run() noexcept override;
    void drop() noexcept override { delete this; }

private:
    reference<task_state> state_;
};

class call_wait : public wait {
public:
    call_wait(const remote& to) noexcept : wait(call_kind), go_(*this), stop_(*this), to_(to) {}
    call_wait(call_wait&& fresh) noexcept
        : wait(std::move(fresh)), go_(*this), stop_(*this), to_(fresh.to_) {}

    // There: the task has ended, and all it leaves is in the call.
    void task_ended() noexcept;

protected:
    ~call_wait() = default;

    // True: the wait is cancelled before it begins.
    bool begins_cancelled() noexcept;
    // Throws run_ended.
    void send(reference<task_state> state);

private:
    struct hop final : inbox::message {
        explicit hop(call_wait& of) noexcept : call(&of) {}
        void run() noexcept override { arrive(*call); }
        void drop() noexcept override { call->lost(); }
        call_wait* call;
        void (*arrive)(call_wait&) noexcept = nullptr;
    };

    static bool cancel(wait& self) noexcept;
    static const wait_kind call_kind;

    void send_home(hop& from) noexcept;
    void came_home() noexcept;
    void lost() noexcept;
    // Whether the task ended as cancelled.
    [[nodiscard]] virtual bool task_was_cancelled() const noexcept = 0;

    hop go_;
    hop stop_;
    remote to_;
    std::shared_ptr<inbox> home_;
    scheduler* home_loop_ = nullptr;
    task_state* task_there_ = nullptr;  // of that thread; null before and after
    unsigned away_ = 0;                 // messages that are not home
    bool cancel_asked_ = false;
};

// The task of a call.
template <typename T, typename Function>
class called final : public spawned<T, Function> {
public:
    template <typename F>
    called(std::source_location where, F&& function, call_wait& call, outcome<T>& result)
        : spawned<T, Function>(where, std::forward<F>(function)), call_(&call), result_(&result) {}

    void finish(frame* outermost) noexcept override {
        spawned<T, Function>::finish(outermost);
        try {
            give_result();
        } catch (...) {
            result_->set_error(std::current_exception());
        }
        this->result.set_cancelled();  // nothing of it is left on this thread
        this->has_unseen_error = false;
        call_->task_ended();
    }

private:
    void give_result() {
        if constexpr (detachable<T>) {
            if (this->result.ok()) {
                T value = std::move(this->result).get();
                value.detach();
                result_->set_value(std::move(value));
                return;
            }
        }
        *result_ = std::move(this->result);
    }

    call_wait* call_;
    outcome<T>* result_;
};

template <typename Function>
class [[nodiscard]] remote_call final : public awaiter_of<remote_call<Function>>, call_wait {
    using given = std::invoke_result_t<Function&>;
    static_assert(is_task<given>, "what is called on another scheduler is a callable that gives a task");
    using T = typename given::value_type;

public:
    template <typename F>
    remote_call(const remote& to, std::source_location where, F&& function)
        : call_wait(to), function_(std::forward<F>(function)), where_(where) {}

    bool await_ready() {
        if (!begins_cancelled()) {
            send(reference<task_state>(
                *new called<T, Function>(where_, std::move(function_), *this, result_)));
        }
        return never_ready();
    }
    void suspend(frame& waiter) noexcept { scheduler::suspend(waiter, *this); }
    T await_resume() { return std::move(result_).get(); }

private:
    [[nodiscard]] bool task_was_cancelled() const noexcept override { return result_.cancelled(); }

    Function function_;
    std::source_location where_;
    outcome<T> result_;
};

template <typename Function, typename... Arguments>
bool spawn_there(const remote& to, std::source_location where, Function&& function,
                 Arguments&&... arguments) {
    using stored = typename stored_arguments<typename parameters_of<std::decay_t<Function>>::type,
                                             std::decay_t<Arguments>...>::type;
    using made = typename spawned_with<std::decay_t<Function>, stored>::state;
    check_kept<Function, Arguments...>();
    (detach_for_other_thread(arguments), ...);
    reference<task_state> state(
        *new made(where, std::forward<Function>(function), std::forward<Arguments>(arguments)...));
    auto arriving = std::make_unique<arriving_task>(std::move(state));
    if (!to.post_message(*arriving)) {
        return false;
    }
    (void)arriving.release();
    return true;
}

}  // namespace detail

template <typename Function, typename... Arguments>
bool remote::spawn(Function&& function, Arguments&&... arguments) const {
    return detail::spawn_there(*this, detail::place_before(), std::forward<Function>(function),
                               std::forward<Arguments>(arguments)...);
}

// The callable is moved or copied into the task, and dies there with it; what both refer to lives until the
// call has ended. A stream in it is detached by its owner before; one that the task gives comes detached.
// Throws what the task throws; task_cancelled when it was cancelled there, also by the end
// of that run; run_ended when that run has ended before. The task there belongs to the root of that run.
// Cancelled: the task there is asked to end, and the wait goes on until it has. A result that came all the
// same is given, and the next wait is the cancelled one.
template <typename Function>
detail::remote_call<std::decay_t<Function>> remote::call(Function&& function,
                                                         std::source_location where) const {
    return {*this, where, std::forward<Function>(function)};
}

}  // namespace leat
