// SPDX-License-Identifier: MIT
#include <leat/http/core/shared_connection.hpp>

#include <leat/check.hpp>

namespace leat::http::detail {

leat::detail::reference<shared_connection> begin_http2(any_stream /*stream*/, bool /*secure*/) {
    check(false, "HTTP/2 is spoken where it was built in");
    return {};
}

}  // namespace leat::http::detail
