// SPDX-License-Identifier: MIT
// serve: accepts connections and runs a task for each, until it is told to stop. A full server stops
// accepting; running out of descriptors is waited out; a connection's error ends that connection alone.
#pragma once

#include <leat/io.hpp>
#include <leat/signals.hpp>
#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace leat {

struct serve_options {
    // At most so many at once; further clients wait in the listener's queue.
    std::size_t connections = SIZE_MAX;
    // How long connections may go on after a stop before they are cancelled.
    duration grace = std::chrono::seconds(8);
    // The signals that stop it. A second one ends the grace. None: it is stopped by cancelling it.
    signal_numbers stop_on = {SIGINT, SIGTERM};
};

namespace detail {

// How an accept loop takes an error of accept(2) that is not the connection's own.
class accept_errors {
public:
    // True: the process is short of something, which was reported once; wait for delay() and go on. False:
    // the listener is closed. Any other error is thrown.
    bool take(std::error_code error);
    void clear() noexcept { delay_ = duration::zero(); }
    [[nodiscard]] duration delay() const noexcept { return delay_; }

private:
    duration delay_ = duration::zero();
};

template <typename Listener, typename Handler>
task<> accept_connections(Listener& listener, task_group& connections, Handler& handler) {
    accept_errors errors;
    for (;;) {
        while (connections.full()) {
            co_await connections.below_limit();
        }
        auto accepted = co_await as_result(listener.accept());
        if (accepted.ok()) {
            errors.clear();
            connections.spawn([&handler](auto&& stream) { return handler(std::move(stream)); },
                              std::move(*accepted));
        } else if (errors.take(accepted.error())) {
            co_await sleep(errors.delay());
        } else {
            co_return;
        }
    }
}

// Waits for one of the signals; for ever if there are none.
task<> await_stop(signal_set* signals);

template <typename Listener, typename Handler>
task<> serve_in(task_group& connections, Listener& listener, Handler& handler, duration grace,
                signal_set* signals) {
    co_await with_task_group([&](task_group& accepting) -> task<> {
        accepting.spawn([&]() -> task<> {
            co_await accept_connections(listener, connections, handler);
            accepting.cancel();  // the listener was closed
        });
        co_await await_stop(signals);
        accepting.cancel();
    });
    listener.close();
    co_await with_task_group([&](task_group& draining) -> task<> {
        draining.spawn([&]() -> task<> {
            co_await await_stop(signals);
            connections.cancel();
        });
        co_await move_on_after(grace, connections.wait());
        draining.cancel();
    });
}

}  // namespace detail

// Runs `handler(stream)`, which gives a task, for every connection that `listener` accepts, until one of
// the signals comes or the listener is closed. Then it accepts no more, gives the connections `grace` to
// end, and cancels the rest. Cancelling it cancels all connections at once. Errors of handlers go to the
// report; an error of the listener is thrown.
template <typename Listener, typename Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    std::optional<signal_set> signals;
    if (!options.stop_on.empty()) {
        signals.emplace(options.stop_on);
    }
    const task_group_options independent{.limit = options.connections, .independent = true};
    co_await with_task_group(independent, [&](task_group& connections) -> task<> {
        co_await detail::serve_in(connections, listener, handler, options.grace,
                                  signals.has_value() ? &*signals : nullptr);
    });
}

}  // namespace leat
