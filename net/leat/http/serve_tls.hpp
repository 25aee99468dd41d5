// SPDX-License-Identifier: MIT
// http::serve over TLS: https. <leat/http.hpp> does not include it, so that programs without TLS do not pay
// for it.
#pragma once

#include <leat/http/server.hpp>
#include <leat/tls.hpp>

namespace leat::http {

struct serve_tls_options {
    serve_options http = {};
    duration handshake = std::chrono::seconds(10);
};

namespace detail {

// To the server's stop a connection that shakes hands is one without a request.
template <stream Transport, typename Handler>
task<> serve_tls_connection(Transport transport, const tls::context& shared, Handler& handler,
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
        co_return;  // a client that does not speak TLS, or does not trust us: its own affair
    }
    co_await serve_connection(secured, handler, exchange, client);
}

}  // namespace detail

// The same as serve(listener, handler), for clients that speak TLS. `shared` lives until it ends.
template <typename Listener, typename Handler>
    requires detail::giving_handler<Handler> || detail::writing_handler<Handler>
task<> serve(Listener listener, const tls::context& shared, Handler handler, serve_tls_options options = {}) {
    server_state server(options.http.limits, options.http.on_error);
    const std::source_location here = leat::detail::place_awaited();
    const auto connection = [&](detail::accepted_by<Listener> stream) -> task<> {
        co_await detail::serve_tls_connection(std::move(stream), shared, handler, server, options.handshake);
    };
    co_await detail::serve_draining(std::move(listener), server, connection, options.http, here);
}

}  // namespace leat::http
