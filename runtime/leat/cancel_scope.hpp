// SPDX-License-Identifier: MIT
// with_cancel_scope and shield: a part of a task that can be cancelled alone, by any task or at a deadline
// that may be moved; and a part that a cancellation from outside does not reach.
#pragma once

#include <leat/task.hpp>
#include <leat/timeout.hpp>

#include <functional>
#include <utility>

namespace leat {

// The scope of one with_cancel_scope, for its body and for the tasks that the body gives a reference. Lives
// until with_cancel_scope returns.
class cancel_scope {
public:
    explicit cancel_scope(detail::deadline_scope& node) noexcept : node_(node) {}
    cancel_scope(const cancel_scope&) = delete;
    cancel_scope& operator=(const cancel_scope&) = delete;

    // Cancels everything inside: waits end as cancelled, frames unwind up to the with_cancel_scope. It is a
    // request: a wait that succeeds all the same is delivered. Does nothing the second time.
    void cancel(cancel_reason why = cancel_reason::requested) noexcept {
        check_home();
        node_.cancel(why);
    }

    // Cancels it at `deadline`, which replaces the deadline before; `never` removes it. A deadline in the
    // past cancels now, and cannot be undone. Throws std::bad_alloc.
    void set_deadline(time_point deadline) {
        check_home();
        if (node_.cancelled) {
            return;
        }
        if (deadline != never && deadline <= now()) {
            node_.cancel(cancel_reason::deadline);
        } else {
            current_scheduler().alarms().arm(node_, deadline);
        }
    }
    template <typename Rep, typename Period>
    void set_timeout(std::chrono::duration<Rep, Period> length) {
        check_home();
        set_deadline(after(now(), length));
    }
    [[nodiscard]] time_point deadline() const noexcept { return node_.deadline; }

    // Whether waits inside end as cancelled: because of this scope, or of one around it.
    [[nodiscard]] bool cancelled() const noexcept { return node_.cancelled; }
    // Why this scope itself was cancelled; none if it was not.
    [[nodiscard]] cancel_reason reason() const noexcept { return node_.own_reason(); }

private:
    void check_home() const noexcept {
        check(!node_.entered() || node_.inside->home() == this_thread.loop,
              "a cancel scope is used in its own run");
    }

    detail::deadline_scope& node_;
};

struct cancel_scope_options {
    time_point deadline = never;
    bool shield = false;  // a cancellation from outside does not reach inside
};

namespace detail {

// The body of a with_cancel_scope, and what it is given.
template <typename Body>
struct scope_body {
    Body body;
    cancel_scope* scope;
    auto operator()()
        requires std::invocable<Body&, cancel_scope&>
    {
        return std::invoke(body, *scope);
    }
};

template <typename Body>
class [[nodiscard]] scope_awaiter : public scoped<deadline_scope, scope_body<Body>> {
    using base = scoped<deadline_scope, scope_body<Body>>;

public:
    scope_awaiter(const cancel_scope_options& options, Body&& body)
        : base({std::move(body), &control_}, options.deadline, options.shield), control_(this->scope_) {}
    auto await_resume() { return this->maybe_finish(); }
    auto defer() && {
        const cancel_scope_options options{.deadline = this->scope_.deadline, .shield = this->scope_.shield};
        return [options, body = std::move(this->inner_).defer().body]() mutable {
            return scope_awaiter(options, std::move(body));
        };
    }

private:
    cancel_scope control_;
};

template <typename X>
class [[nodiscard]] shield_awaiter : public scoped<entered_scope, X> {
public:
    explicit shield_awaiter(X&& x) : scoped<entered_scope, X>(std::forward<X>(x), scope_kind::plain, true) {}
    decltype(auto) await_resume() { return this->finish(); }
    auto defer() && {
        return [inner = std::move(this->inner_).defer()]() mutable {
            return shield_awaiter<decltype(inner)>(std::move(inner));
        };
    }
};

}  // namespace detail

// co_await with_cancel_scope([options,] body): body(cancel_scope&) gives a task. Its value comes as a
// std::optional, empty when the scope was cancelled first; without a value: whether it finished. Cancelled
// from outside, it does not return, as any other wait.
template <typename Body>
[[nodiscard]] auto with_cancel_scope(cancel_scope_options options, Body&& body) {
    constexpr bool fits = detail::awaitable_callable<detail::scope_body<std::decay_t<Body>>>;
    static_assert(fits,
                  "the body of a cancel scope is called with the scope and gives a task: "
                  "[&](leat::cancel_scope& scope) -> leat::task<> { ... }");
    if constexpr (fits) {
        return detail::scope_awaiter<std::decay_t<Body>>(options,
                                                         std::decay_t<Body>(std::forward<Body>(body)));
    } else {
        return task<>();
    }
}
template <typename Body>
[[nodiscard]] auto with_cancel_scope(Body&& body) {
    return with_cancel_scope(cancel_scope_options{}, std::forward<Body>(body));
}

// co_await shield(X): what X gives. A cancellation from outside does not reach X; the next wait after it is
// the cancelled one. shield(timeout(5s, X)) has a deadline of its own.
template <typename X>
[[nodiscard]] detail::shield_awaiter<X> shield(X&& x) {
    return detail::shield_awaiter<X>(std::forward<X>(x));
}

}  // namespace leat
