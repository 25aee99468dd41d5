// SPDX-License-Identifier: MIT
// stoppable, until_stop and stopping: how a handler hears that its server stops. A handler then has the
// server's grace to end. stoppable() marks a wait in which the stop may cancel the handler at once, such as
// for the next question of a client. Handshakes of TLS servers are such waits by themselves. until_stop() is
// a wait that ends when the server stops; the handler goes on, and can end in order.
//
//   leat::task<> answer(leat::tcp_stream client) {
//       while (const leat::chunk question = co_await leat::stoppable(client.recv_chunk())) {
//           co_await client.send_all(reply_to(question.text()));  // once asked, it is answered
//       }
//   }
//   leat::task<> tell_news(leat::tcp_stream client) {
//       while (const auto news = co_await leat::until_stop(next_news())) {
//           co_await client.send_all(*news);
//       }
//       co_await client.send_all("the server stops");
//   }
#pragma once

#include <leat/timeout.hpp>

#include <utility>

namespace leat {

// Whether the server has been told to stop whose connection the current task serves, itself or as a child of
// a group. False elsewhere.
[[nodiscard]] inline bool stopping() noexcept {
    return this_thread.task != nullptr && this_thread.task->innermost->told_to_stop();
}

namespace detail {

struct stoppable_scope : entered_scope {
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

struct until_stop_scope : entered_scope {
    until_stop_scope() noexcept { ends_at_stop = true; }
};

template <typename X>
class [[nodiscard]] until_stop_awaiter : public scoped<until_stop_scope, X> {
public:
    explicit until_stop_awaiter(X&& x) : scoped<until_stop_scope, X>(std::forward<X>(x)) {}
    bool await_ready() {
        if (stopping()) {
            this->scope_.cancel("its server stops");
        }
        return scoped<until_stop_scope, X>::await_ready();
    }
    [[nodiscard]] auto await_resume() { return this->maybe_finish(); }
    auto defer() && {
        return [inner = std::move(this->inner_).defer()]() mutable {
            return until_stop_awaiter<decltype(inner)>(std::move(inner));
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

// co_await until_stop(X): what X gives as a std::optional, as move_on_after() does; but a stop of the server
// cancels X and leaves the optional empty. When the server stops already, X is cancelled before its first
// wait. Elsewhere it ends as X does. X stays alive as for stoppable().
template <typename X>
[[nodiscard]] detail::until_stop_awaiter<X> until_stop(X&& x) {
    return detail::until_stop_awaiter<X>(std::forward<X>(x));
}

}  // namespace leat
