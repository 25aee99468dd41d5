// SPDX-License-Identifier: MIT
#include <leat/http/core/serve_connection.hpp>

namespace leat::http::detail {

bool has_http2() noexcept {
    return false;
}

task<> serve_http2(any_stream /*stream*/, request_handler& /*handler*/, server_exchange& /*exchange*/,
                   served_connection& /*client*/, chunk /*ahead*/) {
    check(false, "HTTP/2 is spoken where it was built in");
    co_return;
}

}  // namespace leat::http::detail
