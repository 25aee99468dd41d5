// SPDX-License-Identifier: MIT
// http::serve for https: the HTTP server over TLS. <leat/http.hpp> does not include this header, so that
// programs without TLS do not pay for it.
#pragma once

#include <leat/http/server.hpp>
#include <leat/tls.hpp>

namespace leat::http {

struct serve_tls_options {
    serve_options http = {};
    duration handshake = std::chrono::seconds(10);
};

namespace detail {

// When the server stops, a connection in its handshake ends at once, as one without a request does.
template <stream Transport>
task<> serve_tls_connection(Transport transport, const tls::context& shared, request_handler& handler,
                            server_state& server, duration handshake) {
    tls::stream<Transport> secured(std::move(transport), shared);
    connection_over client(secured);
    server_exchange exchange(server, client);
    if (exchange.stopping()) {
        co_return;
    }
    try {
        const bool agreed =
            co_await watched(exchange.deadlines(), secured.handshake(), after(now(), handshake));
        if (!agreed) {
            co_return;
        }
    } catch (const std::system_error&) {
        co_return;  // the client does not speak TLS, or does not trust us: not reported
    }
    co_await serve_connection(secured, handler, exchange, client);
}

template <typename Listener>
task<> serve_requests(Listener& listener, const tls::context& shared, request_handler& handler,
                      const serve_tls_options& options, std::source_location serve_awaited) {
    server_state server(options.http.limits, options.http.on_error, handler.reads());
    const auto connection = [&](accepted_by<Listener> stream) {
        return serve_tls_connection(std::move(stream), shared, handler, server, options.handshake);
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
    co_await detail::serve_requests(listener, shared, answers, options, here);
}

}  // namespace leat::http
