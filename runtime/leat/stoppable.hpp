// SPDX-License-Identifier: MIT
// stoppable: a wait that a server need not sit out when it stops: for a client that has not asked for
// anything yet. A handler of leat::serve is given the server's grace to end, and cancelled at once while it
// is in such a wait. A TLS server's handshakes are such waits by themselves.
//
//   leat::task<> answer(leat::tcp_stream client) {
//       while (const leat::chunk question = co_await leat::stoppable(client.recv_chunk())) {
//           co_await client.send_all(reply_to(question.text()));  // once asked, it is answered
//       }
//   }
#pragma once

#include <leat/timeout.hpp>

#include <utility>

namespace leat {

namespace detail {

struct stoppable_scope : scope_node {
    stoppable_scope() noexcept { yields = true; }
};

template <typename X>
class [[nodiscard]] stoppable_awaiter : public scoped<stoppable_scope, X> {
public:
    explicit stoppable_awaiter(X&& x) : scoped<stoppable_scope, X>(std::forward<X>(x)) {}
    bool await_ready() {
        check(this_thread.task != nullptr, "a scope is entered by a task");
        this_thread.task->innermost->yield_to_stop();
        return scoped<stoppable_scope, X>::await_ready();
    }
    decltype(auto) await_resume() { return this->finish(); }
    auto defer() && {
        return [inner = std::move(this->inner_).defer()]() mutable {
            return stoppable_awaiter<decltype(inner)>(std::move(inner));
        };
    }
};

}  // namespace detail

// co_await stoppable(X): what X gives, an awaitable, a task, or a callable that gives a task. When the server
// whose connection this is has been told to stop, or is told to meanwhile, the connection's task is
// cancelled. Elsewhere it is X alone. X stays alive until then: it is awaited in the same expression, or
// given to what keeps it.
template <typename X>
[[nodiscard]] detail::stoppable_awaiter<X> stoppable(X&& x) {
    return detail::stoppable_awaiter<X>(std::forward<X>(x));
}

}  // namespace leat
