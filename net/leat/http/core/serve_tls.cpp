// SPDX-License-Identifier: MIT
#include <leat/http/serve_tls.hpp>

namespace leat::http::detail {

template task<> serve_requests(tcp_listener& listener, const tls::context& shared, request_handler& handler,
                               const serve_tls_options& options, std::source_location serve_awaited);

}  // namespace leat::http::detail
