// SPDX-License-Identifier: MIT
// finally: a cleanup that has to wait, such as saying goodbye to a peer. A cleanup without waits belongs in a
// destructor: destructors run when a task unwinds, as they do at a return.
#pragma once

#include <leat/cancel_scope.hpp>
#include <leat/core/deferred.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace leat {

struct finally_options {
    duration limit = duration::max();  // how long the cleanup may take before it is abandoned
};

namespace detail {

// What X gives; an outcome that is cancelled when X was, instead of unwinding further.
template <typename X>
class [[nodiscard]] caught : public scoped<entered_scope, X> {
    using T = typename awaited<std::remove_cvref_t<X>>::value_type;

public:
    explicit caught(X&& x) : scoped<entered_scope, X>(std::forward<X>(x), scope_kind::catching) {}
    outcome<T> await_resume() {
        outcome<T> ended;
        if (this->scope_.absorbed) {
            ended.set_cancelled(this->scope_.why());
            this->leave();
        } else if constexpr (std::is_void_v<T>) {
            this->finish();
            ended.set_value();
        } else {
            ended.set_value(this->finish());
        }
        return ended;
    }
};

template <typename Body, typename Cleanup>
task<given_by_awaiting<Body>> finally_deferred(Body body, Cleanup cleanup, finally_options options) {
    outcome<given_by_awaiting<Body>> ended;
    std::optional<timer_room> for_limit;
    if (options.limit != duration::max()) {
        for_limit.emplace(current_scheduler().alarms());
    }
    try {
        ended = co_await caught<Body>(std::move(body));
    } catch (...) {
        ended.set_error(std::current_exception());
    }
    for_limit.reset();
    (void)co_await shield(move_on_after(options.limit, std::move(cleanup)));
    if (ended.cancelled()) {
        co_await checkpoint();              // does not return: what cancelled the body is around this, too
        throw task_cancelled(ended.why());  // unless nothing in the run could go on, and no shield held
    }
    co_return std::move(ended).get();
}

}  // namespace detail

// co_await finally(X, cleanup): what X gives, after `cleanup`, a task, or a callable that gives an awaitable
// or a task. The cleanup runs whether X returned, threw or was cancelled, behind a shield; then that outcome
// goes on. An exception of the cleanup replaces it. A cleanup past its limit is cancelled, and the outcome
// goes on.
//
// Without memory for finally itself neither X nor the cleanup begins. A callable is called once X has ended:
// when there is no memory for what it gives, std::bad_alloc is the cleanup's exception. A task has its memory
// from the beginning, and runs in any case.
template <typename X, typename Cleanup>
[[nodiscard]] auto finally(X&& x, Cleanup cleanup, finally_options options = {}) {
    static_assert(detail::awaitable_callable<Cleanup> || detail::is_task<Cleanup>,
                  "the cleanup is a task, or a callable that gives an awaitable or a task");
    return detail::finally_deferred(detail::deferred(std::forward<X>(x)), std::move(cleanup), options);
}

}  // namespace leat
