// SPDX-License-Identifier: MIT
// http::serve: answers the HTTP requests of all connections that a listener accepts. A handler is a
// coroutine that gives the response, or writes it through a response_writer:
//
//     leat::task<leat::http::response> hello(const leat::http::request&) {
//         leat::http::response page;
//         page.body = "hello\n";
//         co_return page;
//     }
//     co_await leat::http::serve(leat::tcp_listener::bind({"0.0.0.0", 8080}), hello);
//
// A handler that takes a request_body_reader reads its request's body itself, piece by piece; for the others
// the whole body is in request::body. So there are four forms:
//
//     leat::task<response> give(const request&);
//     leat::task<response> give(const request&, request_body_reader&);
//     leat::task<> write(const request&, response_writer&);
//     leat::task<> write(const request&, request_body_reader&, response_writer&);
//
// Connections are kept open, pipelined requests are answered in their order, and answers that are ready
// together leave together; a handler that waits does not delay the answers before its own.
//
// HTTP/2 is spoken to clients that begin with it (docs/http.md).
//
// An exception of a handler, or an invalid answer (its status, its lengths), becomes a 500, and a line of the
// report or a call of on_error; if a part of the answer has been sent, the connection is cut instead. The
// answers before it arrive whole in both cases. The server itself answers invalid requests, and then closes:
//   400  malformed, ambiguous, without one valid Host; also a target with bytes above ASCII, which a client
//        has to percent-encode (RFC 3986 2.1)
//   408  a head or a body that comes too slowly (server_limits)
//   413  a body, 414 a target, 431 a head or trailers that are too long
//   501  CONNECT, a method that HTTP does not know, a transfer coding other than chunked
//   505  a version other than 1.x
// The handler itself refuses a known method that it does not want, by 405 with Allow.
#pragma once

#include <leat/http/access_log.hpp>
#include <leat/http/core/serve_connection.hpp>
#include <leat/http/core/told_handler.hpp>
#include <leat/http/request_body_reader.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/http/server_limits.hpp>
#include <leat/serve.hpp>
#include <leat/tcp.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string_view>

namespace leat::http {

struct serve_options {
    // At most so many at once; further clients wait in the listener's queue.
    std::size_t connections = SIZE_MAX;
    // At most so many at once from one IP address, see leat::serve_options. (How long a client may be silent
    // is in `limits`, for each step of a request; leat::serve_options::idle is not used.)
    std::size_t per_address = SIZE_MAX;
    bool tell_limits = false;
    serve_counters* counters = nullptr;
    // How long requests may go on after a stop. Connections without one end at once.
    duration grace = std::chrono::seconds(8);
    signal_numbers stop_on = {SIGINT, SIGTERM};
    event* stop = nullptr;  // see leat::serve_options
    server_limits limits = {};
    // See leat::serve_options. on_error is called for a request that became a 500, or that would have; not
    // for one whose connection has failed.
    void (*on_listening)(std::string_view where) = nullptr;
    void (*on_error)(std::exception_ptr error, std::optional<endpoint> peer) = nullptr;
    // Called when a handler has ended, for a log (access_log.hpp); not for requests that the server itself
    // refuses. It cannot wait, and must not throw but std::bad_alloc, which is dropped.
    void (*on_answer)(const answered& done) = nullptr;
};

namespace detail {

// A handler that gives a response, and one that writes it, for whole requests; and both with a body that they
// read. One that could be called both ways is given whole requests.
template <typename Handler>
concept giving_handler = requires(Handler& handler, const request& asked) {
    { handler(asked) } -> std::same_as<task<response>>;
};
template <typename Handler>
concept writing_handler = requires(Handler& handler, const request& asked, response_writer& writer) {
    { handler(asked, writer) } -> std::same_as<task<>>;
};

template <typename Handler>
concept whole_handler = giving_handler<Handler> || writing_handler<Handler>;
template <typename Handler>
concept giving_reading_handler =
    !whole_handler<Handler> && requires(Handler& handler, const request& asked, request_body_reader& body) {
        { handler(asked, body) } -> std::same_as<task<response>>;
    };
template <typename Handler>
concept writing_reading_handler =
    !whole_handler<Handler> &&
    requires(Handler& handler, const request& asked, request_body_reader& body, response_writer& writer) {
        { handler(asked, body, writer) } -> std::same_as<task<>>;
    };
template <typename Handler>
concept reading_handler = giving_reading_handler<Handler> || writing_reading_handler<Handler>;
template <typename Handler>
concept answering_handler = whole_handler<Handler> || reading_handler<Handler>;

template <typename Handler>
class handler_of final : public request_handler {
public:
    explicit handler_of(Handler& handler) noexcept
        : request_handler(giving_handler<Handler> || giving_reading_handler<Handler>,
                          reading_handler<Handler>),
          handler_(handler) {}
    task<response> give(const request& asked) override {
        if constexpr (giving_handler<Handler>) {
            return handler_(asked);
        } else {
            return {};
        }
    }
    task<> write(const request& asked, response_writer& writer) override {
        if constexpr (writing_handler<Handler>) {
            return handler_(asked, writer);
        } else {
            return {};
        }
    }
    task<response> give_reading(const request& asked, request_body_reader& body) override {
        if constexpr (giving_reading_handler<Handler>) {
            return handler_(asked, body);
        } else {
            return {};
        }
    }
    task<> write_reading(const request& asked, request_body_reader& body, response_writer& writer) override {
        if constexpr (writing_reading_handler<Handler>) {
            return handler_(asked, body, writer);
        } else {
            return {};
        }
    }

private:
    Handler& handler_;
};

using leat::detail::accepted_by;

// The listener of a server, which tells the connections when it is closed.
template <typename Listener, typename Connection>
class draining_acceptor final : public leat::detail::acceptor_of<Listener, Connection> {
    using base = leat::detail::acceptor_of<Listener, Connection>;

public:
    draining_acceptor(server_state& server, Listener& listener, Connection& serve_connection,
                      const leat::serve_options& options, std::source_location serve_awaited) noexcept
        : base(listener, serve_connection, options, serve_awaited), server_(server) {}
    void close() override {
        base::close();
        server_.stop();
    }

private:
    server_state& server_;
};

// `serve_connection(stream)`, which gives a task, for each connection, as leat::serve does.
template <typename Listener, typename Connection>
task<> serve_draining(Listener& listener, server_state& server, Connection serve_connection,
                      const serve_options& options, std::source_location serve_awaited) {
    const leat::serve_options accepting{.connections = options.connections,
                                        .per_address = options.per_address,
                                        .tell_limits = options.tell_limits,
                                        .counters = options.counters,
                                        .grace = options.grace,
                                        .stop_on = options.stop_on,
                                        .stop = options.stop,
                                        .on_listening = options.on_listening,
                                        .on_error = options.on_error};
    draining_acceptor<Listener, Connection> source(server, listener, serve_connection, accepting,
                                                   serve_awaited);
    co_await leat::detail::serve_accepting(source);
}

// What a connection is served over, once its stream has shaken hands.
template <typename Stream>
struct served_over {
    using type = Stream;
};
template <typename Stream>
    requires requires { typename Stream::after_handshake; }
struct served_over<Stream> {
    using type = Stream::after_handshake;
};

// serve(), for all handlers.
template <typename Listener>
task<> serve_requests(Listener& listener, request_handler& handler, const serve_options& options,
                      std::source_location serve_awaited) {
    server_state server(options.limits, options.on_error, handler.reads());
    const auto connection = [&](accepted_by<Listener> stream) -> task<> {
        typename served_over<accepted_by<Listener>>::type& served = stream;
        connection_over client(served);
        server_exchange exchange(server, client);
        if constexpr (leat::detail::shakes_hands<accepted_by<Listener>>) {
            const time_point deadline = after(now(), options.limits.head);
            const bool shaken =
                !exchange.stopping() && co_await watched(exchange.deadlines(), stream.handshake(), deadline);
            if (!shaken) {
                if (!exchange.stopping() && options.counters != nullptr) {
                    ++options.counters->handshake;
                }
                co_return;
            }
        }
        co_await serve_connection(served, handler, exchange, client);
    };
    co_await serve_draining(listener, server, connection, options, serve_awaited);
}

extern template task<> serve_requests(tcp_listener& listener, request_handler& handler,
                                      const serve_options& options, std::source_location serve_awaited);

}  // namespace detail

// Answers requests until one of the signals comes, `stop` is set or the listener is closed; then as
// leat::serve. An error of the listener is thrown. Cancelling it ends all connections.
template <typename Listener, typename Handler>
    requires detail::answering_handler<Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    const std::source_location here = leat::detail::place_awaited();
    detail::handler_of<Handler> answers(handler);
    detail::told_handler told(answers, options.on_answer);
    co_await detail::serve_requests(listener, told.unless_unasked(), options, here);
}

}  // namespace leat::http
