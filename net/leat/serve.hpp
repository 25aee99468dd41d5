// SPDX-License-Identifier: MIT
// serve: accepts connections and runs a task for each, until it is told to stop. A full server stops
// accepting; running out of descriptors or of memory is waited out; a connection's error ends that connection
// alone.
// Signals come first: a server says that it listens, by serve_options::on_listening, once a signal stops it
// in order. What is printed before serve() is awaited is printed while a signal still kills the process,
// unless a signal_set of the caller's has been made before that.
#pragma once

#include <leat/io.hpp>
#include <leat/sleep.hpp>
#include <leat/stoppable.hpp>
#include <leat/system/signals.hpp>
#include <leat/task_group.hpp>

#include <chrono>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat {

struct serve_options {
    // At most so many at once; further clients wait in the listener's queue.
    std::size_t connections = SIZE_MAX;
    // How long connections may go on after a stop before they are cancelled. Those in a stoppable() wait or
    // in a TLS handshake are cancelled at once.
    duration grace = std::chrono::seconds(8);
    // The signals that stop it, but for those that the process ignores when serve() begins (not_ignored() of
    // signals.hpp). A second one ends the grace. None: it is stopped by cancelling it.
    signal_numbers stop_on = {SIGINT, SIGTERM};
    // Called once, before the first connection is accepted, when clients can connect and the signals stop the
    // server: the place for a line that says so. `where` is the listener's local_endpoint() as text, such as
    // "127.0.0.1:8080"; empty for a listener that has none. What it throws ends the server.
    void (*on_listening)(std::string_view where) = nullptr;
};

namespace detail {

// How an accept loop takes an error of accept(2) that is not the connection's own.
class accept_errors {
public:
    // True: the process is short of something, which was reported once; wait for delay() and go on. False:
    // the listener is closed. Any other error is thrown.
    [[nodiscard]] bool take(std::error_code error);
    void clear() noexcept { delay_ = duration::zero(); }
    [[nodiscard]] duration delay() const noexcept { return delay_; }

private:
    duration delay_ = duration::zero();
};

// A listener with the handler of its connections, as the part of serve() that is compiled once sees them.
class acceptor {
public:
    // Starts a task in `connections` for each connection; ends when the listener is closed.
    virtual task<> accept_connections(task_group& connections) = 0;
    virtual void close() = 0;
    // Where it listens, as text.
    [[nodiscard]] virtual std::string place() const = 0;

protected:
    ~acceptor() = default;
};

template <typename Listener, typename Handler>
class acceptor_of final : public acceptor {
public:
    acceptor_of(Listener& listener, Handler& handler) noexcept : listener_(listener), handler_(handler) {}

    task<> accept_connections(task_group& connections) override {
        accept_errors errors;
        for (;;) {
            std::error_code failed;
            try {
                if (errors.delay() > duration::zero()) {
                    co_await yield();  // the sleep may fail: no memory for its timer
                    co_await sleep(errors.delay());
                }
                while (connections.full()) {
                    co_await connections.below_limit();
                }
                auto accepted = co_await as_result(listener_.accept());
                if (accepted.ok()) {
                    connections.spawn(
                        [&handler = handler_](auto&& stream) { return handler(std::move(stream)); },
                        std::move(*accepted));
                    errors.clear();
                    continue;
                }
                failed = accepted.error();
            } catch (const std::bad_alloc&) {  // it costs one connection, if it had come that far
                failed = std::make_error_code(std::errc::not_enough_memory);
            }
            if (!errors.take(failed)) {
                co_return;
            }
        }
    }
    void close() override { listener_.close(); }
    [[nodiscard]] std::string place() const override {
        if constexpr (requires { listener_.local_endpoint().to_string(); }) {
            return listener_.local_endpoint().to_string();
        } else {
            return {};
        }
    }

private:
    Listener& listener_;
    Handler& handler_;
};

task<> serve_accepting(acceptor& source, const serve_options& options);

// What a listener's accept() gives.
template <typename Listener>
using accepted_by = given_by_awaiting<decltype(std::declval<Listener&>().accept())>;
template <typename Handler, typename Stream>
concept serves = std::invocable<Handler&, Stream> && is_task<std::invoke_result_t<Handler&, Stream>>;

}  // namespace detail

// Runs `handler(stream)`, which gives a task, for every connection that `listener` accepts, until one of
// the signals comes or the listener is closed. Then it accepts no more, gives the connections `grace` to
// end, and cancels the rest. Cancelling it cancels all connections at once. Errors of handlers go to the
// report; an error of the listener is thrown.
template <typename Listener, typename Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    constexpr bool fits = detail::serves<Handler, detail::accepted_by<Listener>>;
    static_assert(fits,
                  "the handler of serve() takes the stream of a connection by value and gives a task: "
                  "leat::task<> handler(leat::tcp_stream stream)");
    if constexpr (fits) {
        detail::acceptor_of<Listener, Handler> source(listener, handler);
        co_await detail::serve_accepting(source, options);
    }
    co_return;
}

}  // namespace leat
