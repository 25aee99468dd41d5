// SPDX-License-Identifier: MIT
// serve: accepts connections and runs a task for each, until it is told to stop. A full server stops
// accepting. A server without free descriptors or memory waits until there are some. An error of a connection
// ends that connection only, and goes to serve_options::on_error or to the report. When
// serve_options::on_listening is called, a signal already stops the server in order. Before serve() is
// awaited a signal still kills the process, unless the caller has made a signal_set.
#pragma once

#include <leat/endpoint.hpp>
#include <leat/io.hpp>
#include <leat/sleep.hpp>
#include <leat/stoppable.hpp>
#include <leat/sync/event.hpp>
#include <leat/system/signals.hpp>
#include <leat/task_group.hpp>
#include <leat/tcp.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <source_location>
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
    // Stops it as a signal does once it is set, also when it is set before serve() begins. It lives as long
    // as serve() runs. A signal, or cancelling serve(), ends the grace. Null: nothing of the program's own.
    event* stop = nullptr;
    // Called once, before the first connection is accepted, when clients can connect and the signals stop the
    // server: the place for a line that says so. `where` is the listener's local_endpoint() as text, such as
    // "127.0.0.1:8080"; empty for a listener that has none. What it throws ends the server.
    void (*on_listening)(std::string_view where) = nullptr;
    // Called when the handler of a connection has ended by an error, in place of the line in the report, and
    // also when is_lost_peer(error). `peer` is the stream's remote_endpoint(), where it has one of IP. It
    // must not throw and cannot wait; it may spawn, cancel, set events. Unless set: a line in the report, but
    // nothing of a peer that is gone.
    void (*on_error)(std::exception_ptr error, std::optional<endpoint> peer) = nullptr;
};

// Whether `error` says only that the other side of a connection is gone: ECONNRESET or EPIPE.
[[nodiscard]] bool is_lost_peer(const std::exception_ptr& error) noexcept;

namespace detail {

// What an accept loop does about an error of accept(2) that does not belong to one connection.
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

// A listener with the handler of its connections, for the part of serve() that is compiled once.
class acceptor {
public:
    // `serve_awaited` is where: what the tasks of the connections are said to be spawned at.
    acceptor(const serve_options& options, std::source_location serve_awaited) noexcept
        : options_(options), serve_awaited_(serve_awaited) {}
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;
    virtual ~acceptor() = default;

    [[nodiscard]] const serve_options& options() const noexcept { return options_; }
    [[nodiscard]] std::source_location serve_awaited() const noexcept { return serve_awaited_; }
    // Tells of the error that the handler of a connection ended with.
    void tell_error(const task_state& failed, std::exception_ptr error,
                    const std::optional<endpoint>& peer) const noexcept;

    // Starts a task in `connections` for each connection; ends when the listener is closed.
    virtual task<> accept_connections(task_group& connections) = 0;
    virtual void close() = 0;
    // Where it listens, as text.
    [[nodiscard]] virtual std::string place() const = 0;

private:
    const serve_options& options_;
    std::source_location serve_awaited_;
};

template <typename Stream>
std::optional<endpoint> peer_of(const Stream& stream) {
    if constexpr (requires { endpoint(stream.remote_endpoint()); }) {
        return endpoint(stream.remote_endpoint());
    } else {
        return std::nullopt;
    }
}

template <typename Handler, typename Stream>
using handled = typename std::invoke_result_t<Handler&, Stream>::value_type;

// The task that runs the handler for one connection. It has no handle: its error goes to the server.
template <typename Handler, typename Stream>
class connection_task final
    : public spawned<handled<Handler, Stream>, std::reference_wrapper<Handler>, Stream> {
    using base = spawned<handled<Handler, Stream>, std::reference_wrapper<Handler>, Stream>;

public:
    connection_task(const acceptor& server, Handler& handler, std::optional<endpoint> peer, Stream&& stream)
        : base(server.serve_awaited(), std::ref(handler), std::move(stream)), server_(server), peer_(peer) {}

    void finish(frame* outermost) noexcept override {
        base::finish(outermost);
        if (this->result.how() == ending::error) [[unlikely]] {
            this->seen = true;
            server_.tell_error(*this, this->result.error(), peer_);
        }
    }

private:
    const acceptor& server_;
    std::optional<endpoint> peer_;
};

// What a listener's accept() gives.
template <typename Listener>
using accepted_by = given_by_awaiting<decltype(std::declval<Listener&>().accept())>;

template <typename Listener>
class acceptor_from : public acceptor {
public:
    acceptor_from(Listener& listener, const serve_options& options,
                  std::source_location serve_awaited) noexcept
        : acceptor(options, serve_awaited), listener_(listener) {}

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
                    begin(connections, std::move(*accepted));
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
    virtual void begin(task_group& connections, accepted_by<Listener> accepted) = 0;

    Listener& listener_;
};

extern template class acceptor_from<tcp_listener>;

template <typename Listener, typename Handler>
class acceptor_of : public acceptor_from<Listener> {
public:
    acceptor_of(Listener& listener, Handler& handler, const serve_options& options,
                std::source_location serve_awaited) noexcept
        : acceptor_from<Listener>(listener, options, serve_awaited), handler_(handler) {}

private:
    using stream_type = accepted_by<Listener>;

    void begin(task_group& connections, stream_type accepted) override {
        std::optional<endpoint> peer;
        try {
            peer = peer_of(accepted);
        } catch (const std::system_error&) {  // it may be gone; its handler will see that
        }
        auto& begun = *new connection_task<Handler, stream_type>(*this, handler_, peer, std::move(accepted));
        (void)spawn_in<handled<Handler, stream_type>>(connections.scope(), begun);
    }

    Handler& handler_;
};

task<> serve_accepting(acceptor& source);

template <typename Handler, typename Stream>
concept serves = std::invocable<Handler&, Stream> && is_task<std::invoke_result_t<Handler&, Stream>>;

}  // namespace detail

// Runs `handler(stream)`, which gives a task, for every connection that `listener` accepts, until one of
// the signals comes, `stop` is set or the listener is closed. Then it accepts no more, gives the connections
// `grace` to end, and cancels the rest. Cancelling it cancels all connections at once. Errors of handlers go
// to `on_error` or to the report; an error of the listener is thrown.
template <typename Listener, typename Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    constexpr bool fits = detail::serves<Handler, detail::accepted_by<Listener>>;
    static_assert(fits,
                  "the handler of serve() takes the stream of a connection by value and gives a task: "
                  "leat::task<> handler(leat::tcp_stream stream)");
    if constexpr (fits) {
        const std::source_location here = detail::place_awaited();
        detail::acceptor_of<Listener, Handler> source(listener, handler, options, here);
        co_await detail::serve_accepting(source);
    }
    co_return;
}

}  // namespace leat
