// SPDX-License-Identifier: MIT
// http::serve: answers the HTTP/1 requests of all connections that a listener accepts. A handler is a
// coroutine that gives the response, or writes it through a response_writer:
//
//     leat::task<leat::http::response> hello(const leat::http::request&) {
//         leat::http::response page;
//         page.body = "hello\n";
//         co_return page;
//     }
//     co_await leat::http::serve(leat::tcp_listener::bind({"0.0.0.0", 8080}), hello);
//
// Connections are kept open, pipelined requests are answered in their order, and answers that are ready
// together leave together; a handler that waits does not delay the answers before its own.
//
// An exception of a handler, or an invalid answer (its status, its lengths), becomes a 500, and a line of the
// report or a call of on_error; if a part of the answer has been sent, the connection is cut instead. The
// answers before it arrive whole in both cases. The server itself answers invalid requests, and then closes:
//   400  malformed, ambiguous, without one valid Host; also a target with bytes above ASCII, which a client
//        has to percent-encode (RFC 3986 2.1)
//   408  a head or a body that comes too slowly (server_limits)
//   413  a body, 431 a head that is too long
//   501  CONNECT, a method that HTTP does not know, a transfer coding other than chunked
//   505  a version other than 1.x
// The handler itself refuses a known method that it does not want, by 405 with Allow.
#pragma once

#include <leat/http/core/server_exchange.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/http/served_connection.hpp>
#include <leat/http/server_limits.hpp>
#include <leat/serve.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/task_group.hpp>
#include <leat/tcp.hpp>
#include <leat/timeout.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leat::http {

struct serve_options {
    // At most so many at once; further clients wait in the listener's queue.
    std::size_t connections = SIZE_MAX;
    // How long requests may go on after a stop. Connections without one end at once.
    duration grace = std::chrono::seconds(8);
    signal_numbers stop_on = {SIGINT, SIGTERM};
    event* stop = nullptr;  // see leat::serve_options
    server_limits limits = {};
    // See leat::serve_options. on_error is called for a request that became a 500, or that would have; not
    // for one whose connection has failed.
    void (*on_listening)(std::string_view where) = nullptr;
    void (*on_error)(std::exception_ptr error, std::optional<endpoint> peer) = nullptr;
};

namespace detail {

// A handler that gives a response, and one that writes it.
template <typename Handler>
concept giving_handler = requires(Handler& handler, const request& asked) {
    { handler(asked) } -> std::same_as<task<response>>;
};
template <typename Handler>
concept writing_handler = requires(Handler& handler, const request& asked, response_writer& writer) {
    { handler(asked, writer) } -> std::same_as<task<>>;
};

// The served_connection of a stream, and a chunk that was received while a handler ran.
template <stream Stream>
class connection_over final : public served_connection {
public:
    explicit connection_over(Stream& stream) noexcept : stream_(stream) {}

    [[nodiscard]] std::optional<endpoint> remote_endpoint() const override {
        return leat::detail::peer_of(stream_);
    }
    [[nodiscard]] std::optional<endpoint> local_endpoint() const override {
        if constexpr (requires { endpoint(stream_.local_endpoint()); }) {
            return endpoint(stream_.local_endpoint());
        } else {
            return std::nullopt;
        }
    }
    [[nodiscard]] const tls::session* tls() const noexcept override {
        if constexpr (requires { stream_.session().alpn(); }) {
            return &stream_.session();
        } else {
            return nullptr;
        }
    }
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept override {
        if constexpr (requires { stream_.transport().native_handle(); }) {
            return acknowledged_bytes(stream_.transport().native_handle());
        } else if constexpr (requires { stream_.native_handle(); }) {
            return acknowledged_bytes(stream_.native_handle());
        } else {
            return std::nullopt;
        }
    }
    [[nodiscard]] task<> gone() override {
        if (ahead_.empty()) {
            try {
                ahead_ = co_await stream_.recv_chunk();
            } catch (const std::system_error&) {
                co_return;
            }
            if (ahead_.empty()) {
                co_return;
            }
        }
        co_await sleep_until(never);
    }

    [[nodiscard]] chunk take_ahead() noexcept { return std::move(ahead_); }

private:
    Stream& stream_;
    chunk ahead_;
};

// X inside the scope of a connection, as move_on_after with a deadline that moves.
template <typename X>
class [[nodiscard]] watched : public leat::detail::scoped<connection_scope, X> {
public:
    watched(server_deadlines& deadlines, X&& x, time_point first = never)
        : leat::detail::scoped<connection_scope, X>(std::forward<X>(x), deadlines, first) {}
    auto await_resume() { return this->maybe_finish(); }
};

// The most of a body that is sent at once: a slow reader's time limit starts again after each such part.
inline constexpr std::size_t sent_at_once_max = 256 * 1024;

// All that is sent on a connection: what is held back, `piece`, and a few bytes behind it.
template <stream Stream>
task<> send(Stream& stream, server_exchange& exchange, byte_view piece = std::string_view(),
            byte_view behind = std::string_view()) {
    while (exchange.sending()) {
        co_await exchange.sent();
    }
    if (!exchange.holds_back() && piece.size() == 0) {
        co_return;
    }
    server_exchange::sending_turn turn(exchange);
    std::span<const std::byte> rest(piece.data(), piece.size());
    if (rest.empty()) {
        co_await stream.send_all(turn.held());
    } else if (rest.size() > sent_at_once_max) {
        co_await stream.send_all(turn.held(), rest.first(sent_at_once_max));
        for (rest = rest.subspan(sent_at_once_max); rest.size() > sent_at_once_max;
             rest = rest.subspan(sent_at_once_max)) {
            turn.moved(sent_at_once_max);
            co_await stream.send_all(rest.first(sent_at_once_max));
        }
        turn.moved(sent_at_once_max);
        co_await stream.send_all(rest, behind);
    } else {
        co_await stream.send_all(turn.held(), rest, behind);
    }
    turn.finish();
}

template <stream Stream>
task<> send_over(void* stream, server_exchange& exchange, byte_view piece, byte_view behind) {
    return send(*static_cast<Stream*>(stream), exchange, piece, behind);
}

// Runs once the connection's task waits, so answers leave together unless a handler waits. An error is not
// thrown here: it broke the connection, so that its next send fails, or there was no memory.
template <stream Stream>
task<> flush_meanwhile(Stream& stream, server_exchange& exchange) {
    try {
        while (!exchange.sending() && !exchange.broken() && exchange.holds_back()) {
            co_await send(stream, exchange);
        }
    } catch (const std::exception&) {
        check(exchange.broken() || exchange.holds_back(), "what fails to leave is held back or breaks");
    }
    exchange.flushing = false;
}

template <stream Stream>
task<> end_sending(Stream& stream) {
    if constexpr (std::is_void_v<decltype(stream.shutdown_send())>) {
        stream.shutdown_send();
        co_return;
    } else {
        co_await stream.shutdown_send();
    }
}

// Ends sending and waits for the peer to do so: closing with bytes unread would reset the connection, and the
// peer might never see the answer.
template <stream Stream>
task<> part(Stream& stream) {
    co_await end_sending(stream);
    for (;;) {
        const chunk ignored = co_await stream.recv_chunk();
        if (ignored.empty()) {
            break;
        }
    }
}

// Answers the request exchange.asked(), with either kind of handler. Any failure is a 500, or, if a part of
// the answer has been sent, the end of the connection.
template <stream Stream, typename Handler>
task<> answer(Stream& stream, Handler& handler, server_exchange& exchange) {
    response_writer writer(exchange, &stream, &send_over<Stream>);
    std::string_view rest;
    std::exception_ptr failure;
    exchange.begin_answer();
    try {
        if constexpr (giving_handler<Handler>) {
            writer.head() = co_await handler(exchange.asked());
        } else {
            co_await handler(exchange.asked(), writer);
        }
        rest = writer.finish();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        exchange.fail_answer(failure);
    } else if (!rest.empty()) {
        co_await send(stream, exchange, rest);
    }
}

// Answers to pipelined requests are collected up to so many bytes.
inline constexpr std::size_t held_back_max = 64 * 1024;

// Answers the requests that end in `rest`, which lies in `input`. Without `flushing`, where a task may send
// what is held back while a handler waits, it returns when there is something to be sent meanwhile.
template <stream Stream, typename Handler>
task<> answer_requests(Stream& stream, Handler& handler, server_exchange& exchange, chunk& input,
                       std::string_view& rest, task_group* flushing) {
    while (!exchange.closes() && (flushing != nullptr || !exchange.holds_back())) {
        // A chunk may hold hundreds of requests; what came with a stop, or as its time was over, is not
        // begun.
        co_await checkpoint();
        switch (exchange.take(rest)) {
            case server_exchange::found::nothing:
                co_return;
            case server_exchange::found::expected:
                co_await send(stream, exchange, server_exchange::interim_answer());
                break;
            case server_exchange::found::request:
                if (rest.empty()) {
                    input.reset();  // a slow handler leases no buffer
                    rest = {};
                }
                if (exchange.holds_back() && !std::exchange(exchange.flushing, true)) {
                    flushing->spawn(flush_meanwhile<Stream>, std::ref(stream), std::ref(exchange));
                }
                co_await answer(stream, handler, exchange);
                break;
            case server_exchange::found::refused:
                break;
        }
        if (exchange.holds_back() && exchange.out().size() > held_back_max) {
            co_await send(stream, exchange);
        }
    }
}

// Answers requests until the peer or an answer ends that. Gives whether the peer may have more to say.
template <stream Stream, typename Handler>
task<bool> answer_all(Stream& stream, Handler& handler, server_exchange& exchange,
                      connection_over<Stream>& client) {
    while (exchange.wait_for_bytes()) {
        chunk input = client.take_ahead();
        if (input.empty()) {
            input = co_await stream.recv_chunk();
        }
        std::string_view rest = input.text();
        if (rest.empty()) {
            co_return false;
        }
        co_await answer_requests(stream, handler, exchange, input, rest, nullptr);
        if (!rest.empty() && !exchange.closes()) {
            co_await with_task_group([&](task_group& flushing) {
                return answer_requests(stream, handler, exchange, input, rest, &flushing);
            });
        }
        co_await send(stream, exchange);
        if (exchange.closes()) {
            co_return true;
        }
    }
    co_return true;
}

inline constexpr duration parting = std::chrono::seconds(1);

// Serves one connection. Its errors are not thrown.
template <stream Stream, typename Handler>
task<> serve_connection(Stream& stream, Handler& handler, server_exchange& exchange,
                        connection_over<Stream>& client) {
    try {
        const auto more =
            co_await watched(exchange.deadlines(), answer_all(stream, handler, exchange, client));
        const bool cut = !more.has_value() && exchange.broken();
        if (cut) {
            reset_or_close(stream);  // it takes nothing, not even an end
            co_return;
        }
        if (!more.has_value() && exchange.answer_late()) {
            (void)co_await move_on_after(parting, send(stream, exchange));
        }
        if (more.value_or(true)) {
            (void)co_await move_on_after(parting, part(stream));
        } else {
            (void)co_await move_on_after(parting, end_sending(stream));
        }
    } catch (const std::system_error&) {
        if (exchange.ends_by_reset()) {
            reset_or_close(stream);
        }
    }
}

using leat::detail::accepted_by;

// A listener that tells the connections when serve() closes it.
template <typename Listener>
class draining_listener {
public:
    draining_listener(Listener below, server_state& server) : below_(std::move(below)), server_(&server) {}
    auto accept() { return below_.accept(); }
    [[nodiscard]] auto local_endpoint() const
        requires requires(const Listener& listener) { listener.local_endpoint(); }
    {
        return below_.local_endpoint();
    }
    void close() noexcept {
        below_.close();
        server_->stop();
    }

private:
    Listener below_;
    server_state* server_;
};

// `serve_connection(stream)`, which gives a task, for each connection, as leat::serve does.
template <typename Listener, typename Connection>
task<> serve_draining(Listener below, server_state& server, Connection serve_connection,
                      const serve_options& options, std::source_location serve_awaited) {
    draining_listener<Listener> listener(std::move(below), server);
    const leat::serve_options accepting{.connections = options.connections,
                                        .grace = options.grace,
                                        .stop_on = options.stop_on,
                                        .stop = options.stop,
                                        .on_listening = options.on_listening,
                                        .on_error = options.on_error};
    leat::detail::acceptor_of<draining_listener<Listener>, Connection> source(listener, serve_connection,
                                                                              accepting, serve_awaited);
    co_await leat::detail::serve_accepting(source);
}

}  // namespace detail

// Answers requests until one of the signals comes, `stop` is set or the listener is closed; then as
// leat::serve. An error of the listener is thrown. Cancelling it ends all connections.
template <typename Listener, typename Handler>
    requires detail::giving_handler<Handler> || detail::writing_handler<Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    server_state server(options.limits, options.on_error);
    const std::source_location here = leat::detail::place_awaited();
    const auto connection = [&](detail::accepted_by<Listener> stream) -> task<> {
        detail::connection_over client(stream);
        server_exchange exchange(server, client);
        co_await detail::serve_connection(stream, handler, exchange, client);
    };
    co_await detail::serve_draining(std::move(listener), server, connection, options, here);
}

}  // namespace leat::http
