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
// together leave together. Bad requests are answered with 400, 408, 413, 431, 501 or 505. What a handler
// throws becomes a 500 and a line of the report.
#pragma once

#include <leat/http/response_writer.hpp>
#include <leat/http/server_exchange.hpp>
#include <leat/serve.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/tcp.hpp>
#include <leat/timeout.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
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
    server_limits limits = {};
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

// move_on_after with a deadline that is moved while X runs.
template <typename X>
class [[nodiscard]] watched : public leat::detail::move_on_awaiter<X> {
public:
    watched(X&& x, deadline_scope*& scope)
        : leat::detail::move_on_awaiter<X>(never - duration(1), std::forward<X>(x)) {
        scope = &this->scope_;
    }
};

template <stream Stream>
task<> send_over(void* stream, byte_view first, byte_view second, byte_view third) {
    co_await static_cast<Stream*>(stream)->send_all(first, second, third);
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

// Says the end and waits for the peer's: closing with bytes unread would reset the connection, and the peer
// might never see the answer.
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

template <typename Stream>
task<> flush(Stream& stream, server_exchange& exchange) {
    exchange.wait_for_send();
    co_await stream.send_all(exchange.out());
    exchange.out().clear();
}

inline std::string text_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

// The answer to exchange.asked() by a handler that gives it.
template <typename Stream, giving_handler Handler>
task<> answer(Stream& stream, Handler& handler, server_exchange& exchange) {
    response made;
    std::exception_ptr failure;
    exchange.wait_for_handler();
    try {
        made = co_await handler(exchange.asked());
        exchange.answer(made);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        exchange.answer_failure(text_of(failure));
    } else if (exchange.leaves_body(made)) {
        exchange.wait_for_send();
        co_await stream.send_all(exchange.out(), made.body);
        exchange.out().clear();
    }
}

// The same by one that writes it.
template <typename Stream, writing_handler Handler>
task<> answer(Stream& stream, Handler& handler, server_exchange& exchange) {
    response_writer writer(exchange, &stream, &send_over<Stream>);
    exchange.wait_for_handler();
    try {
        co_await handler(exchange.asked(), writer);
        writer.finish();
    } catch (const std::exception& failure) {
        if (!writer.begun()) {
            exchange.answer_failure(failure.what());
        } else {
            if (!writer.lost()) {
                exchange.report_failure(failure.what());
            }
            throw std::system_error(std::make_error_code(std::errc::connection_aborted));
        }
    }
}

// Answers to pipelined requests wait for each other up to so many bytes.
inline constexpr std::size_t held_back_max = 64 * 1024;

// Answers requests until the peer or an answer ends that. Gives whether the peer may have more to say.
template <typename Stream, typename Handler>
task<bool> answer_all(Stream& stream, Handler& handler, server_exchange& exchange) {
    for (;;) {
        exchange.wait_for_bytes();
        chunk input = co_await stream.recv_chunk();
        std::string_view rest = input.text();
        if (rest.empty()) {
            co_return false;
        }
        for (auto found = exchange.take(rest); found != server_exchange::found::nothing;
             found = exchange.take(rest)) {
            if (found == server_exchange::found::expected) {
                co_await stream.send_all(server_exchange::interim_answer());
                continue;
            }
            if (found == server_exchange::found::request) {
                if (rest.empty()) {
                    rest = {};
                    input.reset();  // a slow handler leases no buffer
                }
                co_await answer(stream, handler, exchange);
                co_await leat::detail::share_awaiter();  // a chunk may hold hundreds of requests
            }
            if (exchange.closes()) {
                co_await flush(stream, exchange);
                co_return true;
            }
            if (exchange.out().size() > held_back_max) {
                co_await flush(stream, exchange);
            }
        }
        if (!exchange.out().empty()) {
            exchange.wait_for_send();
            co_await stream.send_all(exchange.out());
            exchange.out().clear();
        }
    }
}

inline constexpr duration parting = std::chrono::seconds(1);

// All of one connection. Its errors are its own.
template <typename Stream, typename Handler>
task<> serve_connection(Stream& stream, Handler& handler, server_state& server) {
    server_exchange exchange(server);
    try {
        const auto more = co_await watched(answer_all(stream, handler, exchange), exchange.watch);
        exchange.watch = nullptr;
        if (!more.has_value()) {
            exchange.out().clear();
            exchange.answer_late();
            co_await move_on_after(parting, stream.send_all(exchange.out()));
        }
        if (more.value_or(true)) {
            co_await move_on_after(parting, part(stream));
        } else {
            co_await move_on_after(parting, end_sending(stream));
        }
    } catch (const std::system_error&) {
        co_return;
    }
}

template <typename Listener>
using accepted_by = typename decltype(std::declval<Listener&>().accept())::value_type;

// A listener that tells the connections when serve() closes it.
template <typename Listener>
class draining_listener {
public:
    draining_listener(Listener below, server_state& server) : below_(std::move(below)), server_(&server) {}
    auto accept() { return below_.accept(); }
    void close() noexcept {
        below_.close();
        server_->stop();
    }

private:
    Listener below_;
    server_state* server_;
};

}  // namespace detail

// Answers requests until one of the signals comes or the listener is closed; then as leat::serve. An error of
// the listener is thrown. Cancelling it ends all connections.
template <typename Listener, typename Handler>
    requires detail::giving_handler<Handler> || detail::writing_handler<Handler>
task<> serve(Listener listener, Handler handler, serve_options options = {}) {
    server_state server(options.limits);
    co_await leat::serve(
        detail::draining_listener<Listener>(std::move(listener), server),
        [&](detail::accepted_by<Listener> stream) -> task<> {
            co_await detail::serve_connection(stream, handler, server);
        },
        {.connections = options.connections, .grace = options.grace, .stop_on = options.stop_on});
}

}  // namespace leat::http
