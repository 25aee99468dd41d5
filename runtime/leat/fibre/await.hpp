// SPDX-License-Identifier: MIT
// await: waits for anything that co_await takes, inside a function that runs by blocking():
//
//   co_await leat::blocking([&] {
//       leat::tcp_stream peer = leat::await(listener.accept());
//       leat::await(leat::sleep(1s));
//   });
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/fibre.hpp>
#include <leat/fibre/fibre_cancelled.hpp>
#include <leat/fibre/really_block.hpp>

#include <source_location>
#include <utility>

namespace leat {

namespace detail {

// Around what is awaited in a fibre: an unwinding ends there, at the pump, and the fibre goes on.
class await_scope {
public:
    explicit await_scope(std::source_location where) noexcept : scope_(scope_kind::catching) {
        check(this_fibre.running != nullptr, "leat::await is called in a function that runs by blocking()");
        frame& pump = *this_thread.current;
        pump.where = where;
        scope_.attach(*this_thread.task->innermost);
        scope_.enter(*this_thread.task);
        scope_.host = &pump;
    }
    await_scope(const await_scope&) = delete;
    await_scope& operator=(const await_scope&) = delete;
    ~await_scope() {
        if (scope_.entered()) {
            scope_.leave();
        }
        while (scope_node* const left = scope_.children.first()) {
            left->detach();  // of an X that is a temporary of the caller's expression, and dies after this
        }
        scope_.detach();
    }

    // The task is suspended. Returns once the wait is over.
    [[gnu::always_inline]] inline void wait() {
        this_fibre.running->leave();
        if (scope_.absorbed) [[unlikely]] {
            throw_cancelled();
        }
    }

private:
    [[noreturn]] static void throw_cancelled();

    scope_node scope_;
};

}  // namespace detail

// What X gives, or throws: an awaitable of leat or of another library, a task, a handle, or a callable that
// gives one; it stays alive until then. Everything else goes on meanwhile. Called in a function that runs by
// blocking(), also by functions that this calls; misuse elsewhere.
// In a cancelled scope it throws fibre_cancelled, once X has ended as cancelled.
template <detail::any_awaitable X>
[[gnu::always_inline]] inline auto await(X&& x, std::source_location where = std::source_location::current())
    -> typename detail::awaited<std::remove_cvref_t<X>>::value_type {
    detail::await_scope around(where);
    detail::awaited<std::remove_cvref_t<X>> inner(std::forward<X>(x));
    {
        const really_block the_calls_of_leat;
        if (!inner.ready()) {
            inner.suspend(*this_thread.current);
            around.wait();
        }
    }
    return inner.resume();
}

}  // namespace leat
