// SPDX-License-Identifier: MIT
// http::serve for https: the HTTP server over TLS. <leat/http.hpp> does not include this header, so that
// programs without TLS do not pay for it.
#pragma once

#include <leat/http/server.hpp>
#include <leat/tls.hpp>

namespace leat::http {

struct serve_tls_options {
    serve_options http = {};
    // As in leat::serve_options.
    duration handshake = std::chrono::seconds(10);
    std::size_t handshakes = SIZE_MAX;
};

namespace detail {

// When the server stops, a connection in its handshake ends at once, as one without a request does.
template <stream Transport>
task<> serve_tls_connection(Transport transport, const tls::context& shared, request_handler& handler,
                            server_state& server, leat::detail::handshakes& going_on,
                            const serve_tls_options& options) {
    tls::stream<Transport> secured(std::move(transport), shared);
    // A request tells where it ends; behind the last one there is nothing.
    secured.ignore_unexpected_eof(true);
    connection_over client(secured);
    server_exchange exchange(server, client);
    if (exchange.stopping()) {
        co_return;
    }
    try {
        const time_point deadline = after(now(), options.handshake);
        const auto how = co_await watched(
            exchange.deadlines(), leat::detail::shaking_hands(going_on, deadline, secured.handshake()));
        if (how != leat::detail::handshake_end::shaken) {
            if (how.has_value() && options.http.counters != nullptr) {
                ++options.http.counters->handshake;
            }
            co_return;
        }
    } catch (const std::system_error&) {
        co_return;  // the client does not speak TLS, or does not trust us: not reported
    }
    if (secured.alpn() == "h2") {
        if (server.limits.http2 && has_http2()) {
            exchange.become_http2();
            co_await serve_http2(leat::detail::borrowed_stream<tls::stream<Transport>>(secured), handler,
                                 exchange, client, {});
        }
        co_return;
    }
    co_await serve_connection(secured, handler, exchange, client);
}

template <typename Listener>
task<> serve_requests(Listener& listener, const tls::context& shared, request_handler& handler,
                      const serve_tls_options& options, std::source_location serve_awaited) {
    server_state server(options.http.limits, options.http.on_error, handler.reads());
    leat::detail::handshakes going_on(options.handshakes);
    const auto connection = [&](accepted_by<Listener> stream) {
        return serve_tls_connection(std::move(stream), shared, handler, server, going_on, options);
    };
    co_await serve_draining(listener, server, connection, options.http, serve_awaited);
}

extern template task<> serve_requests(tcp_listener& listener, const tls::context& shared,
                                      request_handler& handler, const serve_tls_options& options,
                                      std::source_location serve_awaited);

}  // namespace detail

// The same as serve(listener, handler), for clients that speak TLS. `shared` lives until it ends.
template <typename Listener, typename Handler>
    requires detail::answering_handler<Handler>
task<> serve(Listener listener, const tls::context& shared, Handler handler, serve_tls_options options = {}) {
    const std::source_location here = leat::detail::place_awaited();
    detail::handler_of<Handler> answers(handler);
    detail::told_handler told(answers, options.http.on_answer);
    co_await detail::serve_requests(listener, shared, told.unless_unasked(), options, here);
}

}  // namespace leat::http
