// SPDX-License-Identifier: MIT
// from_callback: turns an API that calls a function when it is ready into something to co_await.
//
//   // A C++ API takes the callback itself, which can be copied into any std::function:
//   int length = co_await leat::from_callback<int>([&](leat::callback<int> done) { api.start(done); });
//
//   // A C API takes a function and a pointer for it:
//   int status = co_await leat::from_callback<int>([&](leat::callback<int> done) {
//       c_api_start(&buffer, leat::callback<int>::call, done.release());    // void (*)(void*, int)
//   });
//
//   // With other parameters, the function is a lambda without captures:
//       c_api_start([](const char* text, size_t size, void* user) {
//           leat::callback<std::string>::adopt(user)({text, size});
//       }, done.release());
//
// The first call counts, and later ones do nothing. When the last callback is destroyed without a call, the
// wait ends with the error callback_dropped.
//
// Cancelling. What the API writes to lives in the waiting frame, so the wait cannot end before the API does.
// Without `cancel` the wait goes on until the callback comes, and its result is given. With it, `cancel()`
// asks the API to stop; a result that comes all the same is given, too. An API that says operation_canceled
// through fail(), or drops its callback, has stopped: then the wait ends as cancelled. Only when every task
// waits and nothing can wake any, the wait ends without the API.
#pragma once

#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/leaf_awaiter.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <atomic>
#include <functional>
#include <system_error>

namespace leat {

// Thrown by from_callback when the last callback was dropped without a call; its code is
// std::errc::broken_pipe.
class callback_dropped : public std::system_error {
public:
    callback_dropped()
        : system_error(std::make_error_code(std::errc::broken_pipe), "the callback was never called") {}
};

namespace detail {

enum class called_from : bool { own_thread, any_thread };

// What a wait and its callbacks share. It outlives the wait for as long as there are callbacks. Any thread
// may count and claim; the one with the claim writes the result; the rest is for the thread of the wait. The
// state is itself the message to that thread, so that a call of the callback needs no memory.
class callback_state : public frame_pool::allocated, cross_thread_message {
public:
    explicit callback_state(called_from where);
    callback_state(const callback_state&) = delete;
    callback_state& operator=(const callback_state&) = delete;

    // True for the first caller, which then writes the result and settles.
    [[nodiscard]] bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }
    void settle() noexcept;
    void add_callback() noexcept { callbacks_.fetch_add(1, std::memory_order_relaxed); }
    void drop_callback() noexcept;
    bool fail(std::exception_ptr error, bool nothing_comes = false) noexcept;
    bool fail(std::error_code error) noexcept;

    [[nodiscard]] bool settled() const noexcept { return settled_; }
    // Whether there is no result because the wait was cancelled.
    [[nodiscard]] bool stopped() const noexcept { return settled_ && asked && nothing_comes_; }
    void wait_is_over() noexcept;

    wait* waiter = nullptr;
    bool asked = false;  // to end as cancelled

protected:
    virtual ~callback_state() = default;
    virtual void set_error(std::exception_ptr error) noexcept = 0;

private:
    void arrived() noexcept override;
    void lost() noexcept override { let_go(); }
    void let_go() noexcept;

    std::atomic<bool> claimed_ = false;
    std::atomic<unsigned> callbacks_ = 1;
    std::atomic<unsigned> owners_ = 2;  // the wait, all callbacks together, and the message under way
    const called_from where_;
    bool settled_ = false;        // the result is there, and may be read
    bool nothing_comes_ = false;  // the result is an error that says that there will be none
};

template <typename T>
struct callback_result final : callback_state {
    using callback_state::callback_state;
    void set_error(std::exception_ptr error) noexcept override { result.set_error(std::move(error)); }
    outcome<T> result;
};

// What callbacks have in common.
template <typename T>
class callback_base {
public:
    explicit callback_base(callback_result<T>& state) noexcept : state_(&state) {}
    callback_base(const callback_base& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            state_->add_callback();
        }
    }
    callback_base(callback_base&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    callback_base& operator=(callback_base other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~callback_base() {
        if (state_ != nullptr) {
            state_->drop_callback();
        }
    }

    // The wait ends with this error: std::system_error, or what the exception is.
    bool fail(std::error_code error) const noexcept { return state().fail(error); }
    bool fail(std::exception_ptr error) const noexcept { return state().fail(std::move(error)); }

    // For a C API: this callback as a pointer, which is given to call() or adopt() once.
    [[nodiscard]] void* release() noexcept {
        callback_state& released = state();
        state_ = nullptr;
        return &released;
    }

protected:
    static callback_result<T>& state_of(void* released) noexcept {
        return static_cast<callback_result<T>&>(*static_cast<callback_state*>(released));
    }
    template <typename... Value>
    bool finish(Value&&... value) const noexcept {
        if (!state().claim()) {
            return false;
        }
        try {
            state_->result.set_value(std::forward<Value>(value)...);
        } catch (...) {
            state_->result.set_error(std::current_exception());
        }
        state_->settle();
        return true;
    }

private:
    callback_result<T>& state() const noexcept {
        check(state_ != nullptr, "the callback was moved from");
        return *state_;
    }

    callback_result<T>* state_;
};

}  // namespace detail

// Ends a from_callback<T>: callback(value), or fail(error). Neither resumes anything by itself; both are true
// for the first call and do nothing for others. Copies all stand for the same call. One that from_callback
// gave is called on the thread of its task; one of from_callback_anywhere is called and dropped on any.
template <typename T = void>
class callback : public detail::callback_base<T> {
public:
    using detail::callback_base<T>::callback_base;
    bool operator()(T value) const noexcept { return this->finish(std::forward<T>(value)); }

    [[nodiscard]] static callback adopt(void* released) noexcept {
        return callback(callback::state_of(released));
    }
    static void call(void* released, T value) noexcept { adopt(released)(std::forward<T>(value)); }
};

template <>
class callback<void> : public detail::callback_base<void> {
public:
    using callback_base::callback_base;
    bool operator()() const noexcept { return finish(); }

    [[nodiscard]] static callback adopt(void* released) noexcept { return callback(state_of(released)); }
    static void call(void* released) noexcept { adopt(released)(); }
};

namespace detail {

// The waiting end of a state.
template <typename T>
class callback_owner {
public:
    callback_owner() noexcept = default;
    callback_owner(callback_owner&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    callback_owner& operator=(callback_owner&&) = delete;
    ~callback_owner() {
        if (state_ != nullptr) {
            state_->wait_is_over();
        }
    }

    template <typename Start>
    callback_state& begin(Start& start, called_from where) {
        check(state_ == nullptr, "the from_callback was awaited before");
        state_ = new callback_result<T>(where);
        std::invoke(start, callback<T>(*state_));
        return *state_;
    }
    T take() { return std::move(state_->result).get(); }

private:
    callback_result<T>* state_ = nullptr;
};

// A wait for the result. Its kind decides what a cancellation does.
struct [[nodiscard]] callback_wait : awaiter_of<callback_wait>, wait {
    explicit callback_wait(callback_state* awaited, const wait_kind& what) noexcept
        : wait(what), state(awaited) {}
    bool await_ready() noexcept;
    void suspend(frame& waiter) noexcept;
    void await_resume() const noexcept {}

    static const wait_kind to_the_end;   // goes on
    static const wait_kind until_asked;  // is over

    callback_state* state;

private:
    static bool note(wait& self) noexcept;
    static bool stop_waiting(wait& self) noexcept;
};

template <typename T, typename Start>
class [[nodiscard]] callback_awaiter : public callback_wait {
public:
    callback_awaiter(Start&& start, called_from where)
        : callback_wait(nullptr, to_the_end), start_(std::move(start)), where_(where) {}
    bool await_ready() {
        if (begins_cancelled(*this)) {
            end = wait_end::cancelled;
            return false;
        }
        state = &owner_.begin(start_, where_);
        return callback_wait::await_ready();
    }
    T await_resume() { return owner_.take(); }

private:
    callback_owner<T> owner_;
    Start start_;
    called_from where_;
};

// A coroutine, so that `cancel` runs in the task: asking a wait to end runs no code of users.
template <typename T, typename Start, typename Cancel>
task<T> stoppable_callback(Start start, Cancel cancel, called_from where) {
    co_await checkpoint();
    callback_owner<T> owner;
    callback_state& state = owner.begin(start, where);
    co_await callback_wait(&state, callback_wait::until_asked);
    if (!state.settled()) {
        [&]() noexcept { std::invoke(cancel); }();
    }
    co_await callback_wait(&state, callback_wait::to_the_end);
    co_return owner.take();
}

template <typename Start, typename T>
concept callback_start = std::invocable<Start&, callback<T>>;

}  // namespace detail

// co_await from_callback<T>([](callback<T> done) {...}): starts something with a callback, and gives what the
// callback is called with. It may come during the start, and else on the thread of the task: from another
// task, or from an API's own function that one calls. An exception of `start` is thrown, and there is no
// wait.
template <typename T = void, detail::callback_start<T> Start>
[[nodiscard]] detail::callback_awaiter<T, Start> from_callback(Start start) {
    return {std::move(start), detail::called_from::own_thread};
}
// The same; `cancel()` asks the API to stop, and must not throw. It runs at most once, in the task.
template <typename T = void, detail::callback_start<T> Start, std::invocable Cancel>
[[nodiscard]] task<T> from_callback(Start start, Cancel cancel) {
    return detail::stoppable_callback<T>(std::move(start), std::move(cancel),
                                         detail::called_from::own_thread);
}

// The same for a callback that may come from any thread. While it is awaited the run never counts as
// deadlocked.
template <typename T = void, detail::callback_start<T> Start>
[[nodiscard]] detail::callback_awaiter<T, Start> from_callback_anywhere(Start start) {
    return {std::move(start), detail::called_from::any_thread};
}
template <typename T = void, detail::callback_start<T> Start, std::invocable Cancel>
[[nodiscard]] task<T> from_callback_anywhere(Start start, Cancel cancel) {
    return detail::stoppable_callback<T>(std::move(start), std::move(cancel),
                                         detail::called_from::any_thread);
}

}  // namespace leat
