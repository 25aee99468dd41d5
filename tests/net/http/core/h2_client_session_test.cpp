// SPDX-License-Identifier: MIT
// The client's side of an HTTP/2 connection without its I/O: what may be said of a request when it ends, and
// how much of an answer may come.
#include <leat/http/core/h2_client_session.hpp>
#include <leat/http/error.hpp>
#include <leat/testing/doctest.hpp>

#include "../h2_origin.hpp"

#include <span>
#include <string>
#include <utility>

using leat::http::detail::h2_client_session;
using leat::http::detail::h2_client_stream;
using leat::testing::h2_data;
using leat::testing::h2_frame;
using leat::testing::h2_head;

namespace {

void receive(h2_client_session& session, const std::string& bytes) {
    session.receive(std::as_bytes(std::span(bytes)), leat::now());
}

// The frames of one type that it says now.
int count(h2_client_session& session, char type) {
    constexpr std::size_t type_at = 3;
    int counted = 0;
    for (;;) {
        std::string out;
        session.write(out, 1, {});
        if (out.empty()) {
            return counted;
        }
        counted += out[type_at] == type ? 1 : 0;
    }
}

}  // namespace

LEAT_TEST("a request whose head was given out is not taken for one that never left",
          on(leat::testing::simulated)) {
    h2_client_session session(leat::now());
    receive(session, h2_frame(NGHTTP2_SETTINGS, 0, 0));
    std::string out;
    session.write(out, 64 * 1024, {});
    h2_client_stream unsent({});
    h2_client_stream sent({});
    session.submit(sent, "POST /sent HTTP/1.1\r\nHost: a\r\n\r\n", "http", false);
    session.submit(unsent, "POST /unsent HTTP/1.1\r\nHost: a\r\n\r\n", "http", false);
    out.clear();
    session.write(out, 1, {});  // one frame
    CHECK(out.size() > 9);
    CHECK(out[3] == NGHTTP2_HEADERS);
    session.lose({}, {});
    CHECK(static_cast<bool>(sent.failure));
    CHECK(!sent.refused);
    CHECK(unsent.refused);
    co_return;
}

LEAT_TEST("an answer that is not read gets no more than its window", on(leat::testing::simulated)) {
    constexpr std::size_t frame_size = 16 * 1024;
    h2_client_session session(leat::now());
    h2_client_stream stream({.head_bytes = 1000, .fields = 10});
    session.submit(stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http", false);
    receive(session, h2_frame(NGHTTP2_SETTINGS, 0, 0));
    std::string begun;
    session.write(begun, 64 * 1024, {});
    receive(session, h2_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0) + h2_head(1, 200));
    const auto receive_window = [&] {
        for (std::size_t come = 0; come < h2_client_session::window; come += frame_size) {
            receive(session, h2_data(1, std::string(frame_size, 'x'), false));
        }
    };
    receive_window();
    CHECK(stream.received.size() == h2_client_session::window);
    CHECK(count(session, NGHTTP2_WINDOW_UPDATE) == 0);
    stream.unread = std::exchange(stream.received, std::string()).size();
    session.give_window(stream);
    CHECK(count(session, NGHTTP2_WINDOW_UPDATE) == 1);
    receive_window();
    CHECK(stream.received.size() == h2_client_session::window);
    CHECK(!stream.failure);
    receive(session, h2_data(1, "x", false));
    CHECK(count(session, NGHTTP2_RST_STREAM) == 1);
    CHECK(stream.failure == leat::http::error::bad_http2);
    co_return;
}
