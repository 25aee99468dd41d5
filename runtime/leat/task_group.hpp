// SPDX-License-Identifier: MIT
// task_group: tasks that cannot outlive the block that started them. with_task_group returns when its body
// and all children have ended; the first error cancels the rest and is thrown from it.
#pragma once

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/started.hpp>

#include <cstddef>
#include <stdexcept>
#include <system_error>

namespace leat {

struct task_group_options {
    // spawn_when_free waits while this many children run.
    std::size_t limit = SIZE_MAX;
    // A child's error goes to its handle or to the report, and cancels no other task.
    bool independent = false;
};

class task_group;

namespace detail {

// Waits for children to end. Its kind decides what cancelling it does.
class [[nodiscard]] children_awaiter : public leaf_awaiter<children_awaiter, group_watcher> {
public:
    children_awaiter(group_scope& group, std::size_t fewer_than, const wait_kind& what) noexcept
        : leaf_awaiter(what, fewer_than), group_(group) {
        takes_place = kind == &for_place;
    }
    void begin_cancelled() noexcept;
    bool take_now() noexcept {
        group_.check_home();
        const bool has_room = group_.size + group_.promised < below;
        group_.promised += has_room && takes_place ? 1 : 0;
        return has_room;
    }
    void enqueue() noexcept { group_.watchers.push_back(*this); }
    void await_resume() const noexcept {
        if (takes_place) {  // used, or given up, before the next wait
            --group_.promised;
        }
    }

    static const wait_kind for_room;         // cancelling ends it
    static const wait_kind for_place;        // the same, for one that starts a task at once
    static const wait_kind for_all;          // cancelling cancels the children, and it ends when they have
    static const wait_kind for_all_at_last;  // cancelling does nothing: they are cancelled as well

private:
    static bool stop_waiting(wait& self) noexcept;
    static bool cancel_children(wait& self) noexcept;

    group_scope& group_;
};

// Where the current coroutine is awaited, for a coroutine that acts for its caller.
[[nodiscard]] inline std::source_location place_awaited() noexcept {
    const frame* const caller = this_thread.current->parent;
    return caller != nullptr ? caller->where : this_thread.task->spawned_at;
}

// Runs X inside `group`, in a scope of its own; gives its outcome, also when it was cancelled or threw.
template <typename X>
class [[nodiscard]] group_body_awaiter : public awaiter_of<group_body_awaiter<X>> {
    using T = typename awaited<std::remove_cvref_t<X>>::value_type;

public:
    group_body_awaiter(group_scope& group, entered_scope& body, X&& x)
        : group_(group), body_(body), inner_(std::forward<X>(x)) {}
    bool await_ready() noexcept {
        group_.enter(*this_thread.task);
        body_.attach(group_);
        body_.enter(*this_thread.task);
        try {
            return inner_.ready();
        } catch (...) {
            failed_ = std::current_exception();
            return true;
        }
    }
    void suspend(frame& waiter) {
        group_.entered_by = &waiter;
        body_.entered_by = &waiter;
        inner_.suspend(waiter);
    }
    // The outcome is made where it is returned: a move of the value may throw.
    outcome<T> await_resume() noexcept {
        outcome<T> ended;
        if (body_.absorbed) {
            ended.set_cancelled(body_.why());
        } else {
            body_.leave();
        }
        body_.detach();
        group_.leave();
        if (failed_ != nullptr) {
            ended.set_error(std::move(failed_));
        } else if (!ended.cancelled()) {
            take_outcome(inner_, ended);
        }
        return ended;
    }

private:
    group_scope& group_;
    entered_scope& body_;
    awaited<std::remove_cvref_t<X>> inner_;
    std::exception_ptr failed_;  // to begin
};

}  // namespace detail

// The children of one with_task_group. Lives until that returns; belongs to one thread.
class task_group {
public:
    explicit task_group(task_group_options options) noexcept
        : scope_(options.independent ? detail::group_scope::errors::to_handles
                                     : detail::group_scope::errors::to_group),
          limit_(options.limit),
          grace_(*this) {
        check(options.limit > 0, "the limit of a task group is at least 1");
    }
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group() {
        if (grace_.armed()) {
            current_scheduler().alarms().disarm(grace_);
        }
    }

    // Starts X, or `function(arguments...)`, as a child; as the free spawn() does. Its error is the group's.
    // In a group that is cancelled it runs to its first wait.
    template <typename Function>
    auto spawn(Function&& function, std::source_location where = std::source_location::current()) {
        return detail::spawn_call(open_scope(), where, std::forward<Function>(function));
    }
    template <typename Function, typename First>
    auto spawn(Function&& function, First&& first,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(open_scope(), where, std::forward<Function>(function),
                                  std::forward<First>(first));
    }
    template <typename Function, typename First, typename Second>
    auto spawn(Function&& function, First&& first, Second&& second,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(open_scope(), where, std::forward<Function>(function),
                                  std::forward<First>(first), std::forward<Second>(second));
    }
    template <typename Function, typename First, typename Second, typename Third>
    auto spawn(Function&& function, First&& first, Second&& second, Third&& third,
               std::source_location where = std::source_location::current()) {
        return detail::spawn_call(open_scope(), where, std::forward<Function>(function),
                                  std::forward<First>(first), std::forward<Second>(second),
                                  std::forward<Third>(third));
    }
    template <typename Function, typename... Arguments>
        requires(sizeof...(Arguments) > 3)
    auto spawn(Function&& function, Arguments&&... arguments) {
        return detail::spawn_call(open_scope(), detail::place_before(), std::forward<Function>(function),
                                  std::forward<Arguments>(arguments)...);
    }

    // Waits until there is room for one more child; others may have taken it by the time the waiter runs.
    // Cancelling it has no other effect.
    detail::children_awaiter below_limit() noexcept {
        return {scope_, limit_, detail::children_awaiter::for_room};
    }

    // Waits until there are no children. Cancelling it cancels them, and it ends when they have ended: if it
    // is the last wait of a body, children may refer to the body's locals. In a group that was told to stop,
    // cancelling it does not cancel the children before the grace is over.
    task<> wait() {
        do {  // others may have spawned more by the time this one is resumed
            co_await detail::children_awaiter(scope_, 1, detail::children_awaiter::for_all);
        } while (size() > 0);
    }

    // The same as spawn, once there are fewer children than the limit; in the order of the calls. Cancelled:
    // nothing was started, even if there was room.
    template <typename Function, typename... Arguments>
    auto spawn_when_free(Function&& function, Arguments&&... arguments) {
        if constexpr (sizeof...(Arguments) == 0 && detail::any_awaitable<Function>) {
            return wait_and_spawn(detail::deferred(std::forward<Function>(function)));
        } else if constexpr (detail::check_kept<Function, Arguments...>()) {
            return wait_and_spawn(std::forward<Function>(function), std::forward<Arguments>(arguments)...);
        } else {
            return task<handle<>>();
        }
    }

    // Starts `function(ready, arguments...)` as a child and waits until that has called ready.set(value):
    // gives the value, as of a server that has bound its port. `ready` is a leat::started<T>. Until then the
    // child belongs to this wait: cancelling it cancels the child, and the child's error is thrown here.
    // Throws std::logic_error when the child ends without being ready.
    template <typename Function, typename... Arguments>
    auto start(Function function, Arguments... arguments) -> task<detail::started_by<Function>> {
        detail::starting<detail::started_by<Function>> beginning(open_scope());
        const std::source_location where = detail::place_awaited();
        auto child = detail::spawn_call(beginning.scope(), where, std::move(function), beginning.token(),
                                        std::move(arguments)...);
        beginning.wait_for(child.state());
        const bool arrived = co_await beginning;
        if (!arrived) {
            if (child.error() == nullptr) {
                co_await checkpoint();  // the child was cancelled with it
            }
            (void)child.value();
            throw std::logic_error("a task that was started ended without being ready");
        }
        co_return beginning.take();
    }

    // Cancels the body and all children. with_task_group absorbs it.
    void cancel(cancel_reason why = cancel_reason::requested) noexcept {
        scope_.check_home();
        scope_.cancel(why);
    }

    // Ends the group softly: cancels the body, and lets the children finish; those that have not after
    // `grace` are cancelled. Nothing more is spawned: that throws std::system_error
    // (std::errc::operation_canceled). with_task_group absorbs it. Throws std::bad_alloc.
    void stop(duration grace) {
        scope_.check_home();
        current_scheduler().alarms().arm(grace_, after(now(), grace));
        scope_.stopping = true;
        body_.cancel("the group stops");
    }
    [[nodiscard]] bool stopping() const noexcept { return scope_.stopping; }

    [[nodiscard]] bool full() const noexcept { return scope_.size >= limit_; }
    // The number of children that have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return scope_.size; }

    // The scopes of the children and of the body; for the runtime.
    [[nodiscard]] detail::group_scope& scope() noexcept { return scope_; }
    [[nodiscard]] detail::entered_scope& body() noexcept { return body_; }

private:
    struct grace : timer {
        explicit grace(task_group& stopped) noexcept : timer(pass), group(stopped) {}
        static void pass(timer& self) noexcept {
            static_cast<grace&>(self).group.cancel("the grace of its group passed");
        }
        task_group& group;
    };

    template <typename Function, typename... Arguments>
    auto wait_and_spawn(Function function, Arguments... arguments)
        -> task<decltype(detail::spawn_call(std::declval<detail::group_scope&>(), {}, std::move(function),
                                            std::move(arguments)...))> {
        const std::source_location where = detail::place_awaited();
        co_await detail::children_awaiter(scope_, limit_, detail::children_awaiter::for_place);
        try {
            co_return detail::spawn_call(open_scope(), where, std::move(function), std::move(arguments)...);
        } catch (...) {
            current_scheduler().tell_watchers(scope_);  // the place is for the next
            throw;
        }
    }

    detail::group_scope& open_scope() {
        if (stopping()) {
            throw std::system_error(std::make_error_code(std::errc::operation_canceled),
                                    "the task group stops");
        }
        return scope_;
    }

    detail::group_scope scope_;
    detail::entered_scope body_{detail::scope_kind::catching};
    std::size_t limit_;
    grace grace_;
};

namespace detail {

template <typename Body>
concept group_body = std::invocable<Body&, task_group&> && is_task<std::invoke_result_t<Body&, task_group&>>;

}  // namespace detail

// Runs `body(group)`, which gives a task, and returns its result when it and all children have ended. The
// first exception, of the body or of a child, cancels the rest and is thrown; later ones are reported.
// If it is cancelled from outside, body and children unwind, and then the caller unwinds, too; but if all of
// them completed in spite of the cancellation, the result is returned. A group.cancel() ends here:
// with_task_group returns, or throws task_cancelled if the body should have given a value.
template <detail::group_body Body>
auto with_task_group(task_group_options options, Body body) -> std::invoke_result_t<Body&, task_group&> {
    task_group group(options);
    detail::group_scope& scope = group.scope();
    scope.attach(*this_thread.task->innermost);
    auto ended =
        co_await detail::group_body_awaiter(scope, group.body(), [&] { return std::invoke(body, group); });
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

template <detail::group_body Body>
auto with_task_group(Body body) {
    return with_task_group(task_group_options{}, std::move(body));
}

template <typename Body>
    requires(!detail::group_body<Body>)
task<> with_task_group(task_group_options /*options*/, Body&& /*body*/) {
    static_assert(detail::group_body<Body>,
                  "the body of a task group is called with the group and gives a task: "
                  "[&](leat::task_group& group) -> leat::task<> { ... }");
    return {};
}
template <typename Body>
    requires(!detail::group_body<Body>)
task<> with_task_group(Body&& body) {
    return with_task_group(task_group_options{}, std::forward<Body>(body));
}

}  // namespace leat
