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

// Leaves `here`, whose task is suspended, until that wait is over.
[[gnu::always_inline]] inline void leave_for_await(fibre& here) {
    here.leave();
    if (here.was_unwound()) [[unlikely]] {
        throw_fibre_cancelled(here);
    }
}

}  // namespace detail

// What X gives, or throws: an awaitable of leat or of another library, a task, a handle, or a callable that
// gives one; it stays alive until then. Everything else goes on meanwhile. Called in a function that runs by
// blocking(), also by functions that this calls; misuse elsewhere.
// In a cancelled scope it throws fibre_cancelled, once X has ended as cancelled.
template <detail::any_awaitable X>
[[gnu::always_inline]] inline auto await(X&& x, std::source_location where = std::source_location::current())
    -> typename detail::awaited<std::remove_cvref_t<X>>::value_type {
    detail::fibre* const here = detail::this_fibre.running;
    check(here != nullptr, "leat::await is called in a function that runs by blocking()");
    frame& pump = *this_thread.current;
    pump.where = where;
    detail::awaited<std::remove_cvref_t<X>> inner(std::forward<X>(x));
    {
        const really_block the_calls_of_leat;
        if (!inner.ready()) {
            inner.suspend(pump);
            detail::leave_for_await(*here);
        }
    }
    return inner.resume();
}

}  // namespace leat
