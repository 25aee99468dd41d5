// SPDX-License-Identifier: MIT
// spawn and handle<T>: start concurrent tasks, wait for them and cancel them. A spawned task belongs to the
// root group of its run: dropping the handle does not stop it, and the end of run() does.
#pragma once

#include <leat/core/deferred.hpp>
#include <leat/core/join_wait.hpp>
#include <leat/core/reference.hpp>
#include <leat/core/stored_arguments.hpp>
#include <leat/task.hpp>

#include <memory>
#include <optional>
#include <tuple>

namespace leat {

namespace detail {

template <typename T>
class task_state_of : public task_state {
public:
    using task_state::task_state;

    void finish(frame* outermost) noexcept override {
        if (outermost != nullptr) [[likely]] {
            outermost->coroutine().destroy();
        } else if (result.how() != ending::error) {  // a value is left from a co_return that failed
            end_cancelled();
        }
        if (result.how() == ending::error) [[unlikely]] {
            has_unseen_error = true;
        }
    }
    [[nodiscard]] ending how() const noexcept final { return result.how(); }
    std::exception_ptr take_unseen_error() noexcept final {
        has_unseen_error = false;
        return result.error();
    }

    outcome<T> result;  // for others when the task is done: destructors of the body run after it is there

protected:
    void start_body(task<T> body) noexcept {
        check(body.valid(), "what is spawned gives a task that was not awaited before");
        typename task<T>::promise_type& outermost = *body.release();
        outermost.result = &result;
        leaf = this_thread.next = &outermost;
    }

private:
    [[gnu::noinline]] void end_cancelled() noexcept { result.set_cancelled(why()); }
};

// A task that owns the callable and the arguments it was made from, until it ends.
template <typename T, typename Function, typename... Arguments>
class spawned : public task_state_of<T> {
public:
    template <typename F, typename... A>
    explicit spawned(std::source_location where, F&& function, A&&... arguments)
        : task_state_of<T>(where), call_(std::forward<F>(function), std::forward<A>(arguments)...) {}
    ~spawned() override {
        if (!this->done) {
            std::destroy_at(&call_);  // it was never spawned
        }
    }

    void start() noexcept override {
        try {
            this->start_body(call_());
        } catch (...) {
            this->result.set_error(std::current_exception());
            this->phase = task_phase::ended;
        }
    }
    void finish(frame* outermost) noexcept override {
        task_state_of<T>::finish(outermost);
        if constexpr (!std::is_trivially_destructible_v<stored_call<Function, Arguments...>>) {
            this_thread.unwinding = this->result.cancelled();  // captures and arguments die as the frames did
            std::destroy_at(&call_);
            this_thread.unwinding = false;
        }
    }

protected:
    // Before finish() only.
    [[nodiscard]] const Function& function() const noexcept
        requires(sizeof...(Arguments) > 0)
    {
        return std::get<0>(call_.parts);
    }

private:
    union {  // until finish(), which every task that was spawned comes to
        stored_call<Function, Arguments...> call_;
    };
};

// Calls a function with the outcome of a task, once; then it is gone.
template <typename T, typename Function>
struct done_callback final : joiner, frame_pool::allocated {
    done_callback(task_state_of<T>& state, Function&& called)
        : joiner(call), target(reference<task_state_of<T>>::share(state)), function(std::move(called)) {}
    static void call(joiner& self) noexcept {
        const std::unique_ptr<done_callback> called(&static_cast<done_callback&>(self));
        called->target->has_unseen_error = false;  // what it is given is collected: no report
        called->function(std::as_const(called->target->result));
    }
    reference<task_state_of<T>> target;
    Function function;
};

}  // namespace detail

// A reference to a spawned task; handle<> if the task gives no value. Move-only. While the task runs, its
// handle is used and destroyed in the run of the task; after that, anywhere.
template <typename T>
class handle {
public:
    using value_type = T;

    handle() noexcept = default;
    explicit handle(detail::task_state_of<T>& state) noexcept
        : state_(detail::reference<detail::task_state_of<T>>::share(state)) {}
    handle(handle&& other) noexcept = default;
    handle& operator=(handle other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~handle() {
        if (state_) {
            state_->check_home();
        }
    }

    // co_await handle: the result, moved out once; throws the task's error, or task_cancelled. A handle that
    // is awaited as std::move(handle) refers to nothing then. Cancelling the wait leaves the task alone.
    struct [[nodiscard]] join_awaiter : detail::awaiter_of<join_awaiter>, detail::join_wait {
        explicit join_awaiter(detail::task_state_of<T>& target) noexcept : join_wait(target) {}
        bool await_ready() noexcept { return ready(); }
        // The outcome stays in the task; it lives while a handle does.
        const outcome<T>& await_resume() noexcept {
            auto& state = static_cast<detail::task_state_of<T>&>(*target);
            state.has_unseen_error = false;
            return state.result;
        }
    };
    // Waits for the end and never throws: how it ended, and the value or error. By any number of tasks.
    join_awaiter join() const noexcept { return join_awaiter(state()); }

    // Asks the task to end: its wait ends as cancelled, and its frames unwind. Awaiting it then throws
    // task_cancelled, which tells why, unless it completed all the same. Does nothing if the task has ended.
    void cancel(cancel_reason why = cancel_reason::requested) const noexcept { state().own().cancel(why); }

    // Calls `function(const outcome<T>&)` when the task has ended; at once if it has. In the order of the
    // calls, before any task that awaits this one runs. It must not throw and cannot wait; it may spawn,
    // cancel, set events. Throws std::bad_alloc.
    template <std::invocable<const outcome<T>&> Function>
    void on_done(Function function) const {
        state().join(*new detail::done_callback<T, Function>(state(), std::move(function)));
    }

    // Names the task for dumps, reports and traces. `text` is copied. Throws std::bad_alloc.
    void name(std::string_view text) const { state().set_name(text); }

    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
    [[nodiscard]] bool done() const noexcept { return state().done; }
    [[nodiscard]] bool ok() const noexcept { return done() && state().result.ok(); }
    [[nodiscard]] bool cancelled() const noexcept { return done() && state().result.cancelled(); }
    // The value of a task that is done; throws as awaiting it does.
    [[nodiscard]] decltype(auto) value() const {
        if (!done()) {
            detail::throw_ending(ending::none, nullptr, cancel_reason::none);
        }
        check(!state().taken, "the result of the task was moved out before");
        state().has_unseen_error = false;
        return state().result.value();
    }
    // The exception of a task that failed, else null.
    [[nodiscard]] std::exception_ptr error() const noexcept {
        if (!done()) {
            return nullptr;
        }
        state().has_unseen_error = false;
        return state().result.error();
    }

    [[nodiscard]] detail::task_state_of<T>& state() const noexcept {
        check(valid(), "this handle refers to a task");
        state_->check_home();
        return *state_;
    }
    // What this refers to; then it refers to nothing. For the runtime.
    [[nodiscard]] detail::reference<task_state> release() noexcept {
        check(valid(), "this handle refers to a task");
        return detail::reference<task_state>(*state_.release());
    }

private:
    detail::reference<detail::task_state_of<T>> state_;
};

namespace detail {

template <typename T>
struct awaited<handle<T>> : join_wait {
    using value_type = T;
    explicit awaited(const handle<T>& target) noexcept : join_wait(target.state()) {}
    explicit awaited(handle<T>&& target) noexcept : join_wait(target.release()) {}
    [[nodiscard]] cancel_reason cancelled_because() const noexcept {
        return static_cast<task_state_of<T>&>(*target).result.why();
    }
    T resume() {
        auto& state = static_cast<task_state_of<T>&>(*target);
        state.has_unseen_error = false;
        if constexpr (!std::is_void_v<T> && !std::is_reference_v<T>) {
            check(!state.taken, "the result of the task was moved out before");
            state.taken = state.result.ok();
        }
        return std::move(state.result).get();
    }
    auto defer() const { return deferred(handle<T>(static_cast<task_state_of<T>&>(*target))); }
};

template <typename T>
handle<T> spawn_in(group_scope& owner, task_state_of<T>& state) noexcept {
    owner.check_home();
    handle<T> held(state);
    this_thread.loop->spawn(state, owner);
    return held;
}

template <typename Function, typename Stored>
struct spawned_with;
template <typename Function, typename... Stored>
struct spawned_with<Function, type_list<Stored...>> {
    static constexpr bool callable = std::invocable<Function&, Stored...>;
    static_assert(callable,
                  "what is spawned is called with these arguments, and cannot be (each is the new "
                  "task's own; a reference is given by std::ref)");
    using given = typename std::conditional_t<callable, std::invoke_result<Function&, Stored...>,
                                              std::type_identity<task<>>>::type;
    static_assert(is_task<given> || our_awaiter<given>,
                  "what is spawned is an awaitable, a task, or a callable that gives one");
    using called = std::conditional_t<is_task<given>, Function, awaits_given<Function>>;
    using T = given_by_awaiting<given>;
    using state = spawned<T, called, Stored...>;
};

// Where the coroutine that runs awaited last: for those who cannot be told where they are called.
[[nodiscard]] inline std::source_location place_before(
    std::source_location otherwise = std::source_location::current()) noexcept {
    if (this_thread.current != nullptr && this_thread.current->where.line() != 0) {
        return this_thread.current->where;
    }
    return this_thread.task != nullptr ? this_thread.task->spawned_at : otherwise;
}

// A task as a callable that gives it.
template <typename T>
struct prepared {
    task<T> operator()() { return std::move(body); }
    task<T> body;
};

// Spawns `function(arguments...)`, which gives a task or an awaiter, as a child of `owner`; without arguments
// it may be any awaitable.
template <typename Function, typename... Arguments>
auto spawn_call(group_scope& owner, std::source_location where, Function&& function,
                Arguments&&... arguments) {
    using plain = std::decay_t<Function>;
    if constexpr (is_task<plain>) {
        check(function.valid(), "the task was spawned, awaited or moved from before");
        using T = typename plain::value_type;
        return spawn_call(owner, where, prepared<T>{deferred(std::forward<Function>(function))});
    } else if constexpr (sizeof...(Arguments) == 0 && any_awaitable<Function> && !std::invocable<plain&>) {
        return spawn_call(owner, where, deferred(std::forward<Function>(function)));
    } else {
        using stored =
            stored_arguments<typename parameters_of<plain>::type, std::decay_t<Arguments>...>::type;
        using made = spawned_with<plain, stored>;
        if constexpr (made::callable && check_kept<Function, Arguments...>()) {
            return spawn_in<typename made::T>(
                owner, *new typename made::state(where, std::forward<Function>(function),
                                                 std::forward<Arguments>(arguments)...));
        } else {
            return handle<typename made::T>();
        }
    }
}

}  // namespace detail

// Starts a concurrent task that awaits X, an awaitable, a task, or a callable that gives one; gives a
// handle<T>. It takes its first step after the current one waits. If it fails and no handle is left, the
// error is reported once. Throws std::bad_alloc when there is no memory for it.
// The same for `function(arguments...)`, which gives an awaitable or a task. The callable and its arguments
// are copied or moved into the new task and live as long as it: captures, temporaries and what arguments are
// converted to cannot dangle.
// Dumps and reports name the place of the call; of one with more than four arguments, that of the co_await
// before it. (docs/decisions/0006-spawn-is-a-ladder-of-overloads.md)
template <typename Function>
auto spawn(Function&& function, std::source_location where = std::source_location::current()) {
    return detail::spawn_call(current_scheduler().root(), where, std::forward<Function>(function));
}
template <typename Function, typename First>
auto spawn(Function&& function, First&& first, std::source_location where = std::source_location::current()) {
    return detail::spawn_call(current_scheduler().root(), where, std::forward<Function>(function),
                              std::forward<First>(first));
}
template <typename Function, typename First, typename Second>
auto spawn(Function&& function, First&& first, Second&& second,
           std::source_location where = std::source_location::current()) {
    return detail::spawn_call(current_scheduler().root(), where, std::forward<Function>(function),
                              std::forward<First>(first), std::forward<Second>(second));
}
template <typename Function, typename First, typename Second, typename Third>
auto spawn(Function&& function, First&& first, Second&& second, Third&& third,
           std::source_location where = std::source_location::current()) {
    return detail::spawn_call(current_scheduler().root(), where, std::forward<Function>(function),
                              std::forward<First>(first), std::forward<Second>(second),
                              std::forward<Third>(third));
}
template <typename Function, typename First, typename Second, typename Third, typename Fourth>
auto spawn(Function&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth,
           std::source_location where = std::source_location::current()) {
    return detail::spawn_call(current_scheduler().root(), where, std::forward<Function>(function),
                              std::forward<First>(first), std::forward<Second>(second),
                              std::forward<Third>(third), std::forward<Fourth>(fourth));
}
template <typename Function, typename... Arguments>
    requires(sizeof...(Arguments) > 4)
auto spawn(Function&& function, Arguments&&... arguments) {
    return detail::spawn_call(current_scheduler().root(), detail::place_before(),
                              std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace leat
