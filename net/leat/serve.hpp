// SPDX-License-Identifier: MIT
// serve: accepts connections and runs a task for each, until it is told to stop. A full server stops
// accepting. A server without free descriptors or memory waits until there are some. An error of a connection
// ends that connection only, and goes to serve_options::on_error or to the report. When
// serve_options::on_listening is called, a signal already stops the server in order. Before serve() is
// awaited a signal still kills the process, unless the caller has made a signal_set.
#pragma once

#include <leat/core/accept_errors.hpp>
#include <leat/core/address_limit.hpp>
#include <leat/core/handshakes.hpp>
#include <leat/core/idle_watch.hpp>
#include <leat/core/peer_of.hpp>
#include <leat/endpoint.hpp>
#include <leat/io.hpp>
#include <leat/sleep.hpp>
#include <leat/stoppable.hpp>
#include <leat/sync/event.hpp>
#include <leat/system/signals.hpp>
#include <leat/task_group.hpp>
#include <leat/tcp.hpp>
#include <leat/timeout.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
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

// What the limits of a server have done to connections.
struct serve_counters {
    std::uint64_t idle = 0;     // cut off, since the client was silent
    std::uint64_t refused = 0;  // reset, since their address had enough of them
    std::uint64_t handshake =
        0;  // cut off, since they had not shaken hands in time, or before too many others
};

struct serve_options {
    // At most so many at once; further clients wait in the listener's queue.
    std::size_t connections = SIZE_MAX;
    // At most so many at once from one IP address. A further one is accepted and reset, and its handler does
    // not run: in the queue it would keep others waiting. Peers without an IP address have no such limit.
    // (An IPv6 client commonly has many addresses.)
    std::size_t per_address = SIZE_MAX;
    // How long a connection waits for its client. Its handler is cancelled, as by a timeout, when it has
    // waited for so long in a receive or a send, and no byte has come from the client, and the client has
    // taken none of those that were sent. So a slow download goes on, as long as it goes on. While the
    // handler waits for something else only, such as a database, the client is not to blame, and has no
    // limit. Bytes count that pass the socket, those of a TLS handshake, too. At the latest an eighth of it
    // later. If the handler's cleanup waits for the client as well, the connection is reset after as long
    // again, whatever the client sends meanwhile. A handler that gives up a wait and begins another has
    // waited all the time, on a TCP stream. A stream that goes to another thread is detached first, also one
    // that was never used. The stream is that of a socket, or has one as its transport(), as tls::stream has;
    // for any other serve() throws std::errc::operation_not_supported.
    duration idle = duration::max();
    // How long a new connection may take to shake hands, where its stream has a handshake(), as that of a
    // tls::listener has. The handler runs when that has completed. A client that has not done its part by
    // then is cut off, however many bytes it sends. An error of the handshake is one of the connection: it
    // goes to on_error or to the report.
    duration handshake = std::chrono::seconds(10);
    // At most so many shake hands at once. One more cuts off the one that has been at it longest, so clients
    // that do not go on neither keep others out nor take more memory.
    std::size_t handshakes = SIZE_MAX;
    // Whether connections that the four limits above have ended are told of, as errors of handlers are: to
    // on_error, if it is set, with std::errc::timed_out or std::errc::connection_refused, else in a line of
    // the report. Of many that one address is refused in a row, the report has the first.
    bool tell_limits = false;
    // Counts them, if it is not null. It lives as long as serve() runs.
    serve_counters* counters = nullptr;
    // How long connections may go on after a stop before they are cancelled. Those in a stoppable() wait or
    // in a handshake are cancelled at once.
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

// Whether `error` says only that the connection was closed on this side.
[[nodiscard]] bool is_of_closed(const std::exception_ptr& error) noexcept;

// A listener with the handler of its connections, for the part of serve() that is compiled once.
class acceptor {
public:
    // `serve_awaited` is where: what the tasks of the connections are said to be spawned at.
    acceptor(const serve_options& options, std::source_location serve_awaited) noexcept
        : options_(options), serve_awaited_(serve_awaited), shaking_hands_(options.handshakes) {}
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;
    virtual ~acceptor() = default;

    [[nodiscard]] const serve_options& options() const noexcept { return options_; }
    [[nodiscard]] std::source_location serve_awaited() const noexcept { return serve_awaited_; }
    // Tells of the error that the handler of a connection ended with.
    void tell_error(const task_state& failed, std::exception_ptr error,
                    const std::optional<endpoint>& peer) const noexcept;
    void tell_idle(const std::optional<endpoint>& peer) const noexcept;
    void tell_handshake(const std::optional<endpoint>& peer, handshake_end how) const noexcept;
    void tell_refused(const endpoint& peer) noexcept;

    [[nodiscard]] bool limits_connections() const noexcept {
        return options_.idle != duration::max() || options_.per_address != SIZE_MAX;
    }
    // Empty when the address of `peer` has enough connections. Throws std::bad_alloc.
    [[nodiscard]] std::optional<address_limit::place> admit(const std::optional<endpoint>& peer);

    [[nodiscard]] handshakes& shaking_hands() noexcept { return shaking_hands_; }

    // Starts a task in `connections` for each connection; ends when the listener is closed.
    virtual task<> accept_connections(task_group& connections) = 0;
    virtual void close() = 0;
    // Where it listens, as text.
    [[nodiscard]] virtual std::string place() const = 0;

private:
    const serve_options& options_;
    std::source_location serve_awaited_;
    address_limit addresses_;
    handshakes shaking_hands_;
};

// Calls the handler of `Server`, an acceptor_of.
template <typename Server>
struct handler_of {
    auto operator()(typename Server::stream_type&& stream) const {
        return std::invoke(server.handler(), std::move(stream));
    }
    const Server& server;
};

template <typename Server>
using handler_task = spawned<typename Server::given, handler_of<Server>, typename Server::stream_type>;

// The task that runs the handler for one connection. It has no handle: its error goes to the server.
template <typename Server>
class connection_task : public handler_task<Server> {
public:
    connection_task(const Server& server, std::optional<endpoint> peer, typename Server::stream_type&& stream)
        : handler_task<Server>(server.serve_awaited(), handler_of<Server>{server}, std::move(stream)),
          peer_(peer) {}

    void finish(frame* outermost) noexcept override {
        const acceptor& server = this->function().server;
        handler_task<Server>::finish(outermost);
        tell_error(server);
    }

protected:
    void tell_error(const acceptor& server) noexcept {
        if (this->has_unseen_error) [[unlikely]] {
            this->has_unseen_error = false;
            server.tell_error(*this, this->result.error(), peer_);
        }
    }

    std::optional<endpoint> peer_;
};

// The same within the limits of the server's options.
template <typename Server>
class limited_connection_task final : public connection_task<Server> {
public:
    limited_connection_task(const Server& server, std::optional<endpoint> peer, address_limit::place place,
                            typename Server::stream_type&& stream)
        : connection_task<Server>(server, peer, std::move(stream)), place_(std::move(place)) {}

    // Of the stream that it was made from. Throws std::bad_alloc.
    void watch(socket_state& socket, duration idle) { watch_.emplace(*this, socket, idle); }

    void finish(frame* outermost) noexcept override {
        const acceptor& server = this->function().server;
        handler_task<Server>::finish(outermost);
        if (watch_.has_value() && watch_->has_cut_off(this->result.how())) {
            server.tell_idle(this->peer_);
            // What a handler says of a connection that was reset under it is the same matter.
            if (watch_->has_reset() && this->has_unseen_error && is_of_closed(this->result.error())) {
                this->has_unseen_error = false;
            }
        }
        watch_.reset();
        this->tell_error(server);
        const address_limit::place left(std::move(place_));
    }

private:
    address_limit::place place_;
    std::optional<idle_watch> watch_;
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
    using stream_type = accepted_by<Listener>;
    using given = typename std::invoke_result_t<Handler&, stream_type>::value_type;

    acceptor_of(Listener& listener, Handler& handler, const serve_options& options,
                std::source_location serve_awaited) noexcept
        : acceptor_from<Listener>(listener, options, serve_awaited), handler_(handler) {}

    [[nodiscard]] Handler& handler() const noexcept { return handler_; }

private:
    void begin(task_group& connections, stream_type accepted) override {
        std::optional<endpoint> peer;
        try {
            peer = peer_of(accepted);
        } catch (const std::system_error&) {  // it may be gone; its handler will see that
        }
        if (this->limits_connections()) {
            begin_limited(connections, peer, std::move(accepted));
            return;
        }
        auto& begun = *new connection_task<acceptor_of>(*this, peer, std::move(accepted));
        (void)spawn_in(connections.scope(), begun);
    }

    void begin_limited(task_group& connections, std::optional<endpoint> peer, stream_type accepted) {
        std::optional<address_limit::place> place = this->admit(peer);
        if (!place.has_value()) {
            if constexpr (send_stream<stream_type>) {
                reset_or_close(accepted);
            }
            this->tell_refused(*peer);
            return;
        }
        socket_state* const socket = socket_access::of(accepted);
        const duration idle = this->options().idle;
        using limited = limited_connection_task<acceptor_of>;
        auto made = reference<limited>(*new limited(*this, peer, std::move(*place), std::move(accepted)));
        if (socket != nullptr && idle != duration::max()) {
            made->watch(*socket, idle);
        }
        (void)spawn_in(connections.scope(), *made.release());
    }

    Handler& handler_;
};

// The handler of connections that shake hands first.
template <typename Handler>
class after_handshake {
public:
    explicit after_handshake(Handler& handler) noexcept : handler_(handler) {}
    void belongs_to(acceptor& server) noexcept { server_ = &server; }

    template <shakes_hands Stream>
    task<> operator()(Stream client) {
        if (co_await shake_hands(client)) {
            (void)co_await handler_(std::move(client));
        }
    }

private:
    // In a frame of its own, which the handler need not keep.
    template <typename Stream>
    task<bool> shake_hands(Stream& client) {
        const std::optional<endpoint> peer = peer_of(client);
        const time_point deadline = after(now(), server_->options().handshake);
        const handshake_end how =
            co_await stoppable(shaking_hands(server_->shaking_hands(), deadline, client.handshake()));
        if (how != handshake_end::shaken) {
            server_->tell_handshake(peer, how);
        }
        co_return how == handshake_end::shaken;
    }

    Handler& handler_;
    acceptor* server_ = nullptr;
};

task<> serve_accepting(acceptor& source);

// Throws std::errc::operation_not_supported where `idle` is set, and cannot be held.
void require_no_idle(const serve_options& options);

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
        using stream_type = detail::accepted_by<Listener>;
        const std::source_location here = detail::place_awaited();
        if (!detail::socket_access::has_socket<stream_type>()) {
            detail::require_no_idle(options);
        }
        if constexpr (detail::shakes_hands<stream_type>) {
            detail::after_handshake<Handler> begun(handler);
            detail::acceptor_of<Listener, detail::after_handshake<Handler>> source(listener, begun, options,
                                                                                   here);
            begun.belongs_to(source);
            co_await detail::serve_accepting(source);
        } else {
            detail::acceptor_of<Listener, Handler> source(listener, handler, options, here);
            co_await detail::serve_accepting(source);
        }
    }
    co_return;
}

}  // namespace leat
