// SPDX-License-Identifier: MIT
// The client's side of an HTTP/2 connection without its I/O: what may be said of a request when it ends.
#include <leat/http/core/h2_client_session.hpp>
#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

#include <span>
#include <string>

using leat::http::detail::h2_client_session;
using leat::http::detail::h2_client_stream;

LEAT_TEST("a request whose head was given out is not taken for one that never left",
          on(leat::testing::simulated)) {
    h2_client_session session(leat::now());
    const std::string settings = leat::testing::h2_frame(NGHTTP2_SETTINGS, 0, 0);
    session.receive(std::as_bytes(std::span(settings)), leat::now());
    std::string out;
    session.write(out, 64 * 1024);
    h2_client_stream unsent({});
    h2_client_stream sent({});
    session.submit(sent, "POST /sent HTTP/1.1\r\nHost: a\r\n\r\n", "http", false);
    session.submit(unsent, "POST /unsent HTTP/1.1\r\nHost: a\r\n\r\n", "http", false);
    out.clear();
    session.write(out, 1);  // one frame
    CHECK(out.size() > 9);
    CHECK(out[3] == NGHTTP2_HEADERS);
    session.lose({}, {});
    CHECK(static_cast<bool>(sent.failure));
    CHECK(!sent.refused);
    CHECK(unsent.refused);
    co_return;
}
