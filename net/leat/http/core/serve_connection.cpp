// SPDX-License-Identifier: MIT
#include <leat/http/core/serve_connection.hpp>

#include <leat/http/server.hpp>

namespace leat::http::detail {

template task<> serve_connection(tcp_stream& stream, request_handler& handler, server_exchange& exchange,
                                 connection_over<tcp_stream>& client);
template task<> serve_requests(tcp_listener& listener, request_handler& handler, const serve_options& options,
                               std::source_location serve_awaited);

}  // namespace leat::http::detail
