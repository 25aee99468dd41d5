// SPDX-License-Identifier: MIT
// awaited<X>: how X is begun in a frame and gives its result. X is one of our awaiters, a task, a handle, or
// a callable that gives a task or an awaiter. Used by co_await, timeout, groups and all else that takes an X.
//
//   bool ready()             begins; true: there is a result already
//   void suspend(frame&)     the frame waits for it; what runs next is decided by the loop
//   resume()                 the result, or throws
//   defer()                  before it has begun: the same as a task or a callable, to be kept by a new task
//                            (deferred.hpp)
#pragma once

#include <leat/core/frame.hpp>
#include <leat/outcome.hpp>

#include <concepts>
#include <coroutine>
#include <functional>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat {

template <typename T>
class task;
template <typename T = void>
class handle;

namespace detail {

// Marks the awaiters of this library (awaiter_of): they have suspend(frame&) and live in the awaiting frame.
// One that has not begun can be moved, so that a new task can keep it (defer_awaiter): addresses of its own
// parts are taken when it begins. One that refers to another awaiter has defer() instead.
struct awaiter_base {
    awaiter_base() noexcept = default;
    awaiter_base(awaiter_base&& /*fresh*/) noexcept {}  // not trivial: no awaiter is returned in registers
    awaiter_base& operator=(awaiter_base&&) = delete;
};

// The base of each: `Self` has await_ready(), suspend(frame&) and await_resume().
template <typename Self>
struct awaiter_of : awaiter_base {
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept(
        noexcept(std::declval<Self&>().suspend(std::declval<frame&>()))) {
        static_cast<Self&>(*this).suspend(waiter.promise());
    }
};

template <typename X>
concept our_awaiter = std::derived_from<std::remove_cvref_t<X>, awaiter_base>;

template <typename X>
inline constexpr bool is_task = false;
template <typename T>
inline constexpr bool is_task<task<T>> = true;
template <typename X>
inline constexpr bool is_handle = false;
template <typename T>
inline constexpr bool is_handle<handle<T>> = true;
// Whether X is an object that stays where it is and is awaited through awaited<X>.
template <typename X>
inline constexpr bool is_awaited_in_place = is_handle<X>;

// A callable without arguments that gives a task, or an awaiter of ours.
template <typename X>
concept awaitable_callable =
    !our_awaiter<X> && !is_task<std::remove_cvref_t<X>> && std::invocable<std::decay_t<X>&> &&
    (is_task<std::invoke_result_t<std::decay_t<X>&>> || our_awaiter<std::invoke_result_t<std::decay_t<X>&>>);

template <typename X>
concept has_member_co_await = requires(X awaitable) { std::forward<X>(awaitable).operator co_await(); };
template <typename X>
concept has_free_co_await = requires(X awaitable) { operator co_await(std::forward<X>(awaitable)); };
template <typename X>
concept has_awaiter_members = requires(X awaiter) {
    awaiter.await_ready();
    awaiter.await_suspend(std::coroutine_handle<>());
    awaiter.await_resume();
};

// What another library has made to be awaited (foreign_awaitable.hpp). std::suspend_always never resumes.
template <typename X, typename Plain = std::remove_cvref_t<X>>
concept foreign_awaitable =
    !our_awaiter<X> && !is_task<Plain> && !is_handle<Plain> && !std::same_as<Plain, std::suspend_always> &&
    (has_member_co_await<Plain&&> || has_free_co_await<Plain&&> || has_awaiter_members<Plain&&>);

template <typename X>
concept awaitable_value =
    (is_task<std::remove_cvref_t<X>> && !std::is_lvalue_reference_v<X>) ||
    is_awaited_in_place<std::remove_cvref_t<X>> || awaitable_callable<X> || foreign_awaitable<X>;

// What timeout, gather and the like take.
template <typename X>
concept any_awaitable = our_awaiter<X> || awaitable_value<X>;

// A result as a member of an optional, a vector or a tuple: references are wrapped.
template <typename T>
struct stored {
    using type = T;
};
template <typename T>
struct stored<T&> {
    using type = std::reference_wrapper<T>;
};
template <typename T>
using stored_result = typename stored<T>::type;

// What is none of the kinds below: one sentence instead of a page of errors.
template <typename X>
struct awaited {
    static_assert(any_awaitable<X>, "this takes an awaitable, a task, or a callable that gives one");
    static_assert(!any_awaitable<X>, "include <leat/runtime.hpp>: it tells how this is awaited");
    using value_type = void;
    explicit awaited(const X& /*given*/) noexcept {}
    static bool ready() noexcept { return true; }
    static void suspend(frame& /*waiter*/) noexcept {}
    static void resume() noexcept {}
};

template <typename X>
concept has_defer = requires(X& awaiter) { std::move(awaiter).defer(); };
template <typename X>
concept deferrable = has_defer<X> || std::move_constructible<X>;

// `awaiter`, which has not begun, as a callable that gives it.
template <our_awaiter X>
auto defer_awaiter(X& awaiter) {
    static_assert(deferrable<X>, "an awaitable of leat can be moved before it begins, or has defer()");
    if constexpr (has_defer<X>) {
        return std::move(awaiter).defer();
    } else {
        return [kept = std::move(awaiter)]() mutable -> X { return std::move(kept); };
    }
}

// Whether the awaiter refers to another one that was a temporary where it was made, as timeout(5s, X) does.
template <typename Awaiter>
concept refers_to_temporary = requires { requires Awaiter::refers_to_temporary; };
// Of what a callable gives: a temporary of the callable is gone by then.
template <typename Awaiter>
constexpr void check_given() noexcept {
    static_assert(!refers_to_temporary<Awaiter>,
                  "the callable gives an awaitable that refers to a temporary of the callable: make it a "
                  "coroutine, as [&]() -> leat::task<T> { co_return co_await ...; }");
}
template <typename X>
inline constexpr bool is_temporary_awaiter = our_awaiter<X> && !std::is_reference_v<X>;

// An awaiter of ours stands in the frame already, and is referred to.
template <our_awaiter X>
struct awaited<X> {
    using value_type = decltype(std::declval<X&>().await_resume());
    explicit awaited(X& awaiter) noexcept : awaiter_(awaiter) {}
    explicit awaited(X&& awaiter) noexcept : awaiter_(awaiter) {}  // a temporary of the awaiting expression
    bool ready() { return awaiter_.await_ready(); }
    void suspend(frame& waiter) { awaiter_.suspend(waiter); }
    value_type resume() { return awaiter_.await_resume(); }
    auto defer() { return defer_awaiter(awaiter_); }

private:
    X& awaiter_;
};

template <typename T>
struct awaited<task<T>> {
    using value_type = T;
    explicit awaited(task<T>&& child) noexcept : child_(std::move(child)) {}
    template <typename Named>
        requires std::same_as<std::remove_const_t<Named>, task<T>>
    explicit awaited(Named& /*child*/) noexcept {
        static_assert(!std::same_as<std::remove_const_t<Named>, task<T>>,
                      "a task is awaited once: move it, std::move(task); it is not const");
    }
    bool ready() {
        check(child_.valid(), "the task was awaited, spawned or moved from before");
        return never_ready();
    }
    void suspend(frame& waiter) noexcept {
        running_ = child_.release();
        running_->result = &ended_;
        running_->parent = &waiter;
        this_thread.next = running_;
    }
    T resume() {
        destroy_frame(*running_);
        return std::move(ended_).get();
    }
    task<T> defer() noexcept { return std::move(child_); }

private:
    // Its parameters do not throw when they are destroyed.
    static void destroy_frame(frame& ended) noexcept { ended.coroutine().destroy(); }

    task<T> child_;
    typename task<T>::promise_type* running_ = nullptr;  // owned by the chain of frames
    outcome<T> ended_;
};

template <awaitable_callable X>
struct awaited<X> {
    using given = std::invoke_result_t<std::decay_t<X>&>;
    using body = awaited<std::remove_cvref_t<given>>;
    using value_type = typename body::value_type;
    template <typename Callable>
    explicit awaited(Callable&& callable) : callable_(std::forward<Callable>(callable)) {}
    bool ready() {
        body_.emplace(std::invoke(callable_));
        return body_->ready();
    }
    void suspend(frame& waiter) { body_->suspend(waiter); }
    value_type resume() { return body_->resume(); }
    std::decay_t<X> defer() { return std::move(callable_); }

private:
    std::decay_t<X> callable_;
    std::optional<body> body_;
};

// The awaiter that a callable gives is kept beside it: awaiters do not move.
template <awaitable_callable X>
    requires our_awaiter<std::invoke_result_t<std::decay_t<X>&>> &&
             (!std::is_reference_v<std::invoke_result_t<std::decay_t<X>&>>)
struct awaited<X> {
    using awaiter = std::invoke_result_t<std::decay_t<X>&>;
    using value_type = decltype(std::declval<awaiter&>().await_resume());
    template <typename Callable>
    explicit awaited(Callable&& callable) : callable_(std::forward<Callable>(callable)) {}
    awaited(const awaited&) = delete;
    awaited& operator=(const awaited&) = delete;
    ~awaited() {
        if (made_) {
            awaiter_.~awaiter();
        }
    }
    bool ready() {
        check_given<awaiter>();
        ::new (static_cast<void*>(&awaiter_)) awaiter(std::invoke(callable_));
        made_ = true;
        return awaiter_.await_ready();
    }
    void suspend(frame& waiter) { awaiter_.suspend(waiter); }
    value_type resume() { return awaiter_.await_resume(); }
    std::decay_t<X> defer() { return std::move(callable_); }

private:
    std::decay_t<X> callable_;
    union {
        awaiter awaiter_;  // once made_
    };
    bool made_ = false;
};

// How `inner`, which has ended, did so: its value or its exception.
template <typename Inner, typename T>
void take_outcome(Inner& inner, outcome<T>& ended) noexcept {
    try {
        if constexpr (std::is_void_v<T>) {
            inner.resume();
            ended.set_value();
        } else {
            ended.set_value(inner.resume());
        }
    } catch (...) {
        ended.set_error(std::current_exception());
    }
}

// What `co_await value` uses for a task, a handle or a callable.
template <typename X>
class [[nodiscard]] value_awaiter : public awaiter_of<value_awaiter<X>> {
    using inner = awaited<std::remove_cvref_t<X>>;

public:
    explicit value_awaiter(X&& value) : inner_(std::forward<X>(value)) {}
    bool await_ready() { return inner_.ready(); }
    void suspend(frame& waiter) { inner_.suspend(waiter); }
    typename inner::value_type await_resume() { return inner_.resume(); }

private:
    inner inner_;
};

}  // namespace detail

}  // namespace leat
