// SPDX-License-Identifier: MIT
// timeout and move_on_after: await X with a deadline. X is an awaitable, a task, or a callable that gives a
// task. When the deadline passes X is cancelled, and its end is awaited. If X ends with a result in spite of
// that, the result is given, however late. A deadline of now or earlier cancels before the first wait of X.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/scheduler.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <system_error>

namespace leat {

// Thrown when a deadline has passed; its code is std::errc::timed_out.
class timed_out : public std::system_error {
public:
    timed_out() : timed_out("the deadline passed") {}
    explicit timed_out(const std::string& what);
};

namespace detail {

// The scope of timeout(): tells where it is, how long it was, and what its task waited for when it passed.
class timeout_scope : public deadline_scope {
public:
    // `length` is duration::max() where only the deadline was given.
    timeout_scope(time_point when, duration how_long, std::source_location asked) noexcept
        : deadline_scope(when, false, pass), length(how_long), where(asked) {}

    // "the timeout of 3 s at shop.cpp:14 passed, waiting for recv at peer.cpp:9"
    [[noreturn]] void throw_timed_out() const;

    duration length;
    std::source_location where;

private:
    static void pass(timer& self) noexcept;

    const wait_kind* waited_for_ = nullptr;  // null: for nothing, or it has not passed
    std::uint32_t awaited_ = 0;              // the id of the task whose end it was
    std::source_location waited_at_;         // the innermost co_await of the user's inside; else line 0
};

// Called when a timeout passes, before its task is cancelled; for simulate(), which keeps a dump.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local void (*timeout_passes)() noexcept;

// Runs X inside `Scope`; the derived class turns the end into the result of the co_await.
template <typename Scope, typename X>
class scoped : public awaiter_of<scoped<Scope, X>> {
public:
    static constexpr bool refers_to_temporary = is_temporary_awaiter<X>;

    bool await_ready() {
        check(this_thread.task != nullptr, "a scope is entered by a task");
        task_state& entering = *this_thread.task;
        scope_.attach(*entering.innermost);
        scope_.enter(entering);
        try {
            if constexpr (std::derived_from<Scope, timer>) {
                begin_deadline();
            }
            return inner_.ready();
        } catch (...) {
            leave();
            throw;
        }
    }
    void suspend(frame& waiter) {
        scope_.entered_by = &waiter;
        try {
            inner_.suspend(waiter);
        } catch (...) {
            leave();
            throw;
        }
    }

protected:
    template <typename... Arguments>
    explicit scoped(X&& x, Arguments&&... arguments)
        : scope_(std::forward<Arguments>(arguments)...), inner_(std::forward<X>(x)) {}
    ~scoped() {
        if (scope_.parent != nullptr) [[unlikely]] {
            leave();
        }
    }

    // Takes the result of X while the scope is still entered, then leaves it: X may have a scope of its own
    // to leave first.
    decltype(auto) finish() {
        const leaving left{*this};
        return inner_.resume();
    }
    // The same as an optional, empty when the scope was cancelled; without a value: whether X finished.
    auto maybe_finish() {
        using value = typename awaited<std::remove_cvref_t<X>>::value_type;
        const bool finished = !scope_.absorbed;
        if constexpr (std::is_void_v<value>) {
            if (finished) {
                finish();
            }
            return finished;
        } else {
            using maybe = std::optional<stored_result<value>>;
            return finished ? maybe(finish()) : maybe();
        }
    }
    void leave() noexcept {
        if (scope_.entered()) {
            scope_.leave();
        }
        scope_.detach();
        if constexpr (std::derived_from<Scope, timer>) {
            if (scope_.armed()) {
                this_thread.loop->alarms().disarm(scope_);
            }
        }
    }

    Scope scope_;
    awaited<std::remove_cvref_t<X>> inner_;

private:
    struct leaving {
        scoped& scope;
        ~leaving() { scope.leave(); }
    };

    // The timer is armed before X begins: if there is no memory for it, nothing has been started.
    void begin_deadline() {
        if (scope_.deadline != never && scope_.deadline <= now()) {
            scope_.cancel(cancel_reason::deadline);
        } else if (!scope_.cancelled) {
            current_scheduler().alarms().arm(scope_, scope_.deadline);
        }
    }
};

template <typename X>
class [[nodiscard]] timeout_awaiter : public scoped<timeout_scope, X> {
public:
    timeout_awaiter(time_point deadline, duration length, std::source_location where, X&& x)
        : scoped<timeout_scope, X>(std::forward<X>(x), deadline, length, where) {}
    decltype(auto) await_resume() {
        if (this->scope_.absorbed) [[unlikely]] {
            this->leave();
            this->scope_.throw_timed_out();
        }
        return this->finish();
    }
    auto defer() &&;
};

template <typename X>
class [[nodiscard]] move_on_awaiter : public scoped<deadline_scope, X> {
public:
    move_on_awaiter(time_point deadline, X&& x) : scoped<deadline_scope, X>(std::forward<X>(x), deadline) {}
    [[nodiscard]] auto await_resume() { return this->maybe_finish(); }
    auto defer() &&;
};

}  // namespace detail

// co_await timeout(length, X): what X gives, or throws timed_out, which says where the timeout is, how long,
// and what X waited for. X stays alive until then: it is awaited in the same expression, or given to what
// keeps it, as spawn(timeout(length, X)).
template <typename Rep, typename Period, typename X>
[[nodiscard]] detail::timeout_awaiter<X> timeout(
    std::chrono::duration<Rep, Period> length, X&& x,
    std::source_location where = std::source_location::current()) {
    return {after(now(), length), saturate(length), where, std::forward<X>(x)};
}
template <typename X>
[[nodiscard]] detail::timeout_awaiter<X> timeout_at(
    time_point deadline, X&& x, std::source_location where = std::source_location::current()) {
    return {deadline, duration::max(), where, std::forward<X>(x)};
}

// co_await move_on_after(length, X): what X gives as a std::optional, empty when the deadline passed
// first. For an X without a value: whether it finished; for one that gives a reference: a
// std::reference_wrapper. For an X that gives a std::optional, such as the receive() of a channel, timeout()
// reads better: this gives an optional of it, whose first * is the deadline's.
template <typename Rep, typename Period, typename X>
[[nodiscard]] detail::move_on_awaiter<X> move_on_after(std::chrono::duration<Rep, Period> length, X&& x) {
    return {after(now(), length), std::forward<X>(x)};
}
template <typename X>
[[nodiscard]] detail::move_on_awaiter<X> move_on_at(time_point deadline, X&& x) {
    return {deadline, std::forward<X>(x)};
}

namespace detail {

template <typename X>
auto timeout_awaiter<X>::defer() && {
    return [deadline = this->scope_.deadline, length = this->scope_.length, where = this->scope_.where,
            inner = std::move(this->inner_).defer()]() mutable {
        return timeout_awaiter<decltype(inner)>(deadline, length, where, std::move(inner));
    };
}

template <typename X>
auto move_on_awaiter<X>::defer() && {
    return [deadline = this->scope_.deadline, inner = std::move(this->inner_).defer()]() mutable {
        return move_on_at(deadline, std::move(inner));
    };
}

}  // namespace detail

}  // namespace leat
