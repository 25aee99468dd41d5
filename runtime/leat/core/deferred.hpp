// SPDX-License-Identifier: MIT
// deferred(X): turns an awaitable into something that a new task can own: a task, or a callable that gives a
// task or an awaiter. spawn, gather, race and the like use it, so they take everything that co_await takes.
// What an awaiter refers to, such as a stream, must outlive the task.
#pragma once

#include <leat/task.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace leat::detail {

// What co_await gives for an X.
template <typename X>
using given_by_awaiting = typename awaited<std::remove_cvref_t<X>>::value_type;

// A handle, a one_shot, or an awaitable of another library: a task awaits it.
template <typename X>
auto deferred_in_task(X&& x) {
    if constexpr (std::is_lvalue_reference_v<X>) {
        return [&x]() -> task<given_by_awaiting<X>> { co_return co_await x; };
    } else if constexpr (is_awaited_in_place<X>) {
        return [kept = std::move(x)]() -> task<given_by_awaiting<X>> { co_return co_await kept; };
    } else {
        return [kept = std::move(x)]() mutable -> task<given_by_awaiting<X>> {
            co_return co_await std::move(kept);
        };
    }
}

// A temporary is moved, or made anew; of an lvalue a callable is copied, and else it is referred to. It is
// not awaited in any other way any more.
template <typename X>
auto deferred(X&& x) {
    using plain = std::remove_cvref_t<X>;
    if constexpr (is_task<plain>) {
        static_assert(!std::is_lvalue_reference_v<X>, "a task is awaited once: move it, std::move(task)");
        return std::move(x);
    } else if constexpr (our_awaiter<X>) {
        if constexpr (std::is_lvalue_reference_v<X>) {
            return [&x]() -> plain& { return x; };
        } else {
            return defer_awaiter(x);
        }
    } else if constexpr (awaitable_callable<X>) {
        return std::decay_t<X>(std::forward<X>(x));
    } else {
        static_assert(any_awaitable<X>, "this takes an awaitable, a task, or a callable that gives one");
        return deferred_in_task(std::forward<X>(x));
    }
}

// A callable that gives an awaiter, as one that gives a task.
template <typename Function>
struct awaits_given {
    template <typename F>
        requires std::same_as<std::decay_t<F>, Function>
    explicit awaits_given(F&& given) : function(std::forward<F>(given)) {}
    template <typename... Arguments>
    auto operator()(Arguments... arguments)
        -> task<given_by_awaiting<std::invoke_result_t<Function&, Arguments...>>> {
        check_given<std::invoke_result_t<Function&, Arguments...>>();
        co_return co_await std::invoke(function, std::move(arguments)...);
    }
    Function function;
};

}  // namespace leat::detail
