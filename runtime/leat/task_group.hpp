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
    // A child's error is the child's own: it goes to its handle or to the report, and cancels nobody.
    bool independent = false;
};

class task_group;

namespace detail {

// Waits for children to end. What cancelling it does is its kind.
class [[nodiscard]] children_awaiter : public awaiter_base, group_watcher {
public:
    children_awaiter(group_scope& group, std::size_t fewer_than, const wait_kind& what) noexcept
        : group_watcher(what, fewer_than), group_(group) {}
    bool await_ready() noexcept {
        if (this_thread.task->cancelled()) [[unlikely]] {
            begin_cancelled();
        }
        return end == wait_end::pending && group_.size < below;
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
    void await_resume() const noexcept {}

    static const wait_kind for_room;         // cancelling ends it
    static const wait_kind for_all;          // cancelling cancels the children, and it ends when they have
    static const wait_kind for_all_at_last;  // cancelling does nothing: they are cancelled as well

private:
    void begin_cancelled() noexcept;
    static bool stop_waiting(wait& self) noexcept;
    static bool cancel_children(wait& self) noexcept;

    group_scope& group_;
};

// Gives the place where the current coroutine is awaited, for a coroutine that acts for its caller.
class [[nodiscard]] place_awaited : public awaiter_base {
public:
    static bool await_ready() noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> asking) noexcept {
        const frame& self = asking.promise();
        place_ = self.parent != nullptr ? self.parent->where : self.where;
        return false;
    }
    std::source_location await_resume() const noexcept { return place_; }

private:
    std::source_location place_;
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
            ended_.set_cancelled(group_.why());
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
    explicit task_group(task_group_options options) noexcept
        : scope_(options.independent ? group_scope::errors::to_handles : group_scope::errors::to_group),
          limit_(options.limit) {
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
    template <detail::spawnable Function, typename First, typename Second>
    auto spawn(Function&& function, First&& first, Second&& second,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, std::forward<Function>(function), std::forward<First>(first),
                                  std::forward<Second>(second));
    }
    template <detail::spawnable Function, typename First, typename Second, typename Third>
    auto spawn(Function&& function, First&& first, Second&& second, Third&& third,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, std::forward<Function>(function), std::forward<First>(first),
                                  std::forward<Second>(second), std::forward<Third>(third));
    }
    template <detail::spawnable Function, typename... Arguments>
        requires(sizeof...(Arguments) > 3)
    auto spawn(Function&& function, Arguments&&... arguments) {
        return detail::spawn_call(scope_, std::source_location::current(), std::forward<Function>(function),
                                  std::forward<Arguments>(arguments)...);
    }
    template <typename T>
    handle<T> spawn(task<T> body, std::source_location where = std::source_location::current()) {
        return detail::spawn_call(scope_, where, detail::prepared<T>{std::move(body)});
    }

    // Waits until there is room for one more child; others may have taken it by the time the waiter runs.
    // Cancelling it has no other effect.
    detail::children_awaiter below_limit() noexcept {
        return {scope_, limit_, detail::children_awaiter::for_room};
    }

    // Waits until all children have ended. Cancelling it cancels them, and it ends when they have: a body
    // that ends with it may lend its locals to them.
    detail::children_awaiter wait() noexcept { return {scope_, 1, detail::children_awaiter::for_all}; }

    // The same as spawn, once there are fewer children than the limit.
    template <detail::spawnable Function, typename... Arguments>
    auto spawn_when_free(Function function, Arguments... arguments)
        -> task<decltype(detail::spawn_call(std::declval<group_scope&>(), {}, std::move(function),
                                            std::move(arguments)...))> {
        const std::source_location where = co_await detail::place_awaited();
        while (full()) {
            co_await below_limit();
        }
        co_return detail::spawn_call(scope_, where, std::move(function), std::move(arguments)...);
    }

    // Cancels the body and all children. with_task_group absorbs it.
    void cancel(cancel_reason why = cancel_reason::requested) noexcept { scope_.cancel(why); }

    [[nodiscard]] bool full() const noexcept { return scope_.size >= limit_; }
    // Children that have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return scope_.size; }

    // The scope of the children; for the runtime.
    [[nodiscard]] group_scope& scope() noexcept { return scope_; }

private:
    group_scope scope_;
    std::size_t limit_;
};

// Runs `body(group)`, which gives a task, and returns its result when it and all children have ended. The
// first exception, of the body or of a child, cancels the rest and is thrown; later ones are reported.
// Cancelled from outside, it does not return: body and children unwind, then it does; unless all of them
// completed in spite of it. Its own
// group.cancel() it absorbs; when that ended a body that owed a value, task_cancelled is thrown.
template <typename Body>
auto with_task_group(task_group_options options, Body body) -> std::invoke_result_t<Body&, task_group&> {
    task_group group(options);
    group_scope& scope = group.scope();
    scope.attach(*this_thread.task->innermost);
    auto ended = co_await detail::group_body_awaiter(scope, [&] { return std::invoke(body, group); });
    if (ended.error() != nullptr && !scope.fail(ended.error()) && ended.error() != scope.first_error) {
        this_thread.task->report_error(ended.error());
    }
    while (scope.size > 0) {  // others may have spawned more by the time this task is resumed
        co_await detail::children_awaiter(scope, 1, detail::children_awaiter::for_all_at_last);
    }
    scope.detach();
    if (scope.first_error != nullptr) {
        std::rethrow_exception(scope.first_error);
    }
    if (ended.cancelled() || scope.cut_short) {
        co_await checkpoint();  // if it was cancelled from outside it goes on unwinding
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
