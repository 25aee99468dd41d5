// SPDX-License-Identifier: MIT
#include <fetch/engine/settings.hpp>

namespace fetch {

leat::http::request_options request_options_of(const settings& how) {
    leat::http::request_options made;
    made.connect = how.tries.connect;
    made.tls_handshake = how.tries.connect;
    made.first_byte = how.tries.first_byte;
    made.idle = how.tries.idle;
    made.lowest_rate = how.tries.lowest_rate;
    made.rate_time = how.tries.rate_time;
    made.total = how.tries.total;
    made.redirects = how.redirects;
    return made;
}

}  // namespace fetch
