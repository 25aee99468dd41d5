// SPDX-License-Identifier: MIT
// one_shot<T>: one result, a value or an error, that is given once and that tasks of one scheduler wait for.
// It is awaited like a handle<T> (spawn.hpp), but the result comes from a call of set() or set_error()
// instead of a task: for the answer to a request, the first value of something, a callback.
// Invariant: what was set stays, until a co_await of the one_shot itself moves the value out.
#pragma once

#include <leat/core/wait_queue.hpp>
#include <leat/outcome.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace leat {

// T may be void or a reference. Outlives all waits for it. An error that nobody awaits is dropped.
template <typename T = void>
class one_shot {
public:
    one_shot() noexcept = default;
    one_shot(const one_shot&) = delete;
    one_shot& operator=(const one_shot&) = delete;

    // Gives the value, or the error, and wakes all waiting tasks. Twice is misuse. If making the value
    // throws, that is thrown here, and nothing is set.
    template <typename U = T>
        requires(!std::is_void_v<T>)
    void set(U&& value) {
        check(give(std::forward<U>(value)), "a one_shot is set once");
    }
    void set()
        requires std::is_void_v<T>
    {
        check(give(), "a one_shot is set once");
    }
    void set_error(std::exception_ptr error) noexcept {
        check(try_set_error(std::move(error)), "a one_shot is set once");
    }

    // The same where several may have a result: false, and nothing is taken, when there is one already.
    template <typename U = T>
        requires(!std::is_void_v<T>)
    [[nodiscard]] bool try_set(U&& value) {
        return give(std::forward<U>(value));
    }
    [[nodiscard]] bool try_set()
        requires std::is_void_v<T>
    {
        return give();
    }
    [[nodiscard]] bool try_set_error(std::exception_ptr error) noexcept {
        check(error != nullptr, "the error of a one_shot is an exception");
        if (is_set()) {
            return false;
        }
        result_.set_error(std::move(error));
        waiting_.wake_all();
        return true;
    }

    [[nodiscard]] bool is_set() const noexcept { return result_.how() != ending::none; }

    // co_await one: the value, moved out once; throws the error. Cancelled: nothing was taken.
    class take_awaiter;
    // co_await one.wait(): what was set, and throws nothing. By any number of tasks; the outcome stays in the
    // one_shot. Cancelled: nothing has happened.
    class wait_awaiter;
    [[nodiscard]] wait_awaiter wait() noexcept { return wait_awaiter(*this); }

private:
    static inline constinit const wait_kind one_shot_kind{"a one_shot", detail::wait_queue::leave};

    template <typename... Value>
    bool give(Value&&... value) {
        if (is_set()) {
            return false;
        }
        result_.set_value(std::forward<Value>(value)...);
        waiting_.wake_all();
        return true;
    }

    detail::wait_queue waiting_;
    outcome<T> result_;
    bool taken_ = false;  // the value has been moved out
};

template <typename T>
class [[nodiscard]] one_shot<T>::wait_awaiter : public detail::leaf_awaiter<wait_awaiter> {
    using base = detail::leaf_awaiter<wait_awaiter>;

public:
    explicit wait_awaiter(one_shot& awaited) noexcept : base(one_shot_kind), awaited_(&awaited) {}
    bool take_now() const noexcept { return awaited_->is_set(); }
    void enqueue() noexcept { awaited_->waiting_.push_back(*this); }
    const outcome<T>& await_resume() const noexcept {
        check(!awaited_->taken_, "the value of the one_shot was moved out before");
        return awaited_->result_;
    }

protected:
    one_shot* awaited_;
};

template <typename T>
class [[nodiscard]] one_shot<T>::take_awaiter : public wait_awaiter {
public:
    using wait_awaiter::wait_awaiter;
    T await_resume() const {
        one_shot& from = *this->awaited_;
        if constexpr (!std::is_void_v<T> && !std::is_reference_v<T>) {
            check(!std::exchange(from.taken_, from.result_.ok()),
                  "the value of the one_shot was moved out before");
        }
        return std::move(from.result_).get();
    }
};

namespace detail {

template <typename T>
inline constexpr bool is_awaited_in_place<one_shot<T>> = true;

template <typename T>
struct awaited<one_shot<T>> : one_shot<T>::take_awaiter {
    using value_type = T;
    explicit awaited(one_shot<T>& from) noexcept : one_shot<T>::take_awaiter(from) {}
    bool ready() { return this->await_ready(); }
    T resume() { return this->await_resume(); }
    auto defer() { return defer_awaiter(static_cast<typename one_shot<T>::take_awaiter&>(*this)); }
};

}  // namespace detail

}  // namespace leat
