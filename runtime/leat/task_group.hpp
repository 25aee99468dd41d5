// SPDX-License-Identifier: MIT
// task_group: tasks that cannot outlive the block that started them. with_task_group returns when its body
// and all children have ended; the first error cancels the rest and is thrown from it.
#pragma once

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>

#include <cstddef>

namespace leat {

struct task_group_options {
    // spawn_when_free waits while this many children run.
    std::size_t limit = SIZE_MAX;
};

class task_group;

namespace detail {

// Waits for children to end: until all have, which nothing interrupts, since they are cancelled too; or
// until there are fewer than a limit.
class [[nodiscard]] children_awaiter : public awaiter_base, wait {
public:
    children_awaiter(group_scope& group, std::size_t below, const wait_kind& kind) noexcept
        : wait(kind), group_(group), below_(below) {}
    bool await_ready() noexcept {
        if (kind == &interruptible && this_thread.task->cancelled()) {
            end = wait_end::cancelled;
            return false;
        }
        return group_.size < below_;
    }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        suspend(waiter.promise());
    }
    void suspend(frame& waiter) noexcept {
        if (end == wait_end::pending) {
            group_.watchers.push_back(*this);
        }
        scheduler::suspend(waiter, *this);
    }
    // Whether there are so few now; each child's end ends the wait, to look again.
    bool await_resume() const noexcept { return group_.size < below_; }

    static const wait_kind interruptible, uninterruptible;

private:
    group_scope& group_;
    std::size_t below_;
};

// Runs X inside `group`'s scope; gives its outcome, also when it was cancelled or threw.
template <typename X>
class [[nodiscard]] group_body_awaiter : public awaiter_base {
    using T = typename awaited<std::remove_cvref_t<X>>::value_type;

public:
    group_body_awaiter(group_scope& group, X&& x) : group_(group), inner_(std::forward<X>(x)) {}
    bool await_ready() noexcept {
        group_.enter(*this_thread.task);
        try {
            return inner_.ready();
        } catch (...) {
            ended_.set_error(std::current_exception());
            return true;
        }
    }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        group_.host = &waiter.promise();
        inner_.suspend(waiter.promise());
    }
    outcome<T> await_resume() noexcept {
        if (group_.absorbed) {
            ended_.set_cancelled();
            return std::move(ended_);
        }
        group_.leave();
        if (ended_.how() == ending::none) {
            take_result();
        }
        return std::move(ended_);
    }

private:
    void take_result() noexcept {
        try {
            if constexpr (std::is_void_v<T>) {
                inner_.resume();
                ended_.set_value();
            } else {
                ended_.set_value(inner_.resume());
            }
        } catch (...) {
            ended_.set_error(std::current_exception());
        }
    }

    group_scope& group_;
    awaited<std::remove_cvref_t<X>> inner_;
    outcome<T> ended_;
};

}  // namespace detail

// The children of one with_task_group. Lives until that returns; belongs to one thread.
class task_group {
public:
    explicit task_group(task_group_options options) noexcept : limit_(options.limit) {
        check(options.limit > 0, "the limit of a task group is at least 1");
    }

    // Starts `function(arguments...)`, which gives a task, as a child; as the free spawn() does. Its error
    // is the group's. In a group that is cancelled it runs to its first wait.
    template <detail::spawnable Function>
    auto spawn(Function&& function, std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, std::forward<Function>(function));
    }
    template <detail::spawnable Function, typename First>
    auto spawn(Function&& function, First&& first,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, std::forward<Function>(function),
                                  std::forward<First>(first));
    }
    template <detail::spawnable Function, typename... Arguments>
        requires(sizeof...(Arguments) > 1)
    auto spawn(Function&& function, Arguments&&... arguments) {
        return detail::spawn_call(scope_, std::source_location::current(), std::forward<Function>(function),
                                  std::forward<Arguments>(arguments)...);
    }
    template <typename T>
    handle<T> spawn(task<T> body, std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, detail::prepared<T>{std::move(body)});
    }

    // co_await group.below_limit(): waits until there is room for one more child. Cancelling it has no
    // other effect.
    task<> below_limit();

    // The same as spawn, once there are fewer children than the limit.
    template <detail::spawnable Function, typename... Arguments>
    auto spawn_when_free(Function function, Arguments... arguments)
        -> task<decltype(detail::spawn_call(std::declval<group_scope&>(), {}, std::move(function),
                                            std::move(arguments)...))> {
        co_await below_limit();
        co_return detail::spawn_call(scope_, std::source_location::current(), std::move(function),
                                     std::move(arguments)...);
    }

    // Cancels the body and all children. with_task_group absorbs it.
    void cancel() noexcept { scope_.cancel(cancel_reason::requested); }

    // Children that have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return scope_.size; }

    // The scope of the children; for the runtime.
    [[nodiscard]] group_scope& scope() noexcept { return scope_; }

private:
    group_scope scope_{group_scope::errors::to_group};
    std::size_t limit_;
};

// Runs `body(group)`, which gives a task, and returns its result when it and all children have ended. The
// first exception, of the body or of a child, cancels the rest and is thrown; later ones are reported.
// Cancelled from outside, it does not return: body and children unwind, then it does. Its own
// group.cancel() it absorbs; when that ended a body that owed a value, task_cancelled is thrown.
template <typename Body>
auto with_task_group(task_group_options options, Body body) -> std::invoke_result_t<Body&, task_group&> {
    task_group group(options);
    group_scope& scope = group.scope();
    scope.attach(*this_thread.task->innermost);
    auto ended = co_await detail::group_body_awaiter(scope, [&] { return std::invoke(body, group); });
    if (ended.error() != nullptr) {
        scope.fail(ended.error());
    }
    while (scope.size > 0) {
        co_await detail::children_awaiter(scope, 1, detail::children_awaiter::uninterruptible);
    }
    scope.detach();
    if (scope.first_error != nullptr) {
        std::rethrow_exception(scope.first_error);
    }
    if (scope.cancelled) {
        co_await checkpoint();  // cancelled from outside: goes on unwinding
    }
    using T = typename std::invoke_result_t<Body&, task_group&>::value_type;
    if constexpr (!std::is_void_v<T>) {
        co_return std::move(ended).get();
    }
}

template <typename Body>
auto with_task_group(Body body) {
    return with_task_group(task_group_options{}, std::move(body));
}

}  // namespace leat
