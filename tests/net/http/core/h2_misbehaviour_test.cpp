// SPDX-License-Identifier: MIT
// Peers of HTTP/2 that break the rules, or flood: each is told what it does wrong.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

using namespace std::chrono_literals;
using leat::testing::h2_client;
using leat::testing::h2_fields;
using leat::testing::h2_frame;
using leat::testing::h2_number;
using leat::testing::h2_preface;
using leat::testing::h2_server;

namespace {

// What the server says to bytes behind the preface and settings.
void send_raw(h2_client& listener, h2_server& server, std::string_view bytes) {
    server.receive(h2_preface);
    server.receive(h2_frame(NGHTTP2_SETTINGS, 0, 0));
    server.receive(bytes);
    server.answer_all([](const leat::http::request&) { return leat::http::response{}; });
    listener.receive(server.take_out());
}

std::string head_of(std::uint32_t stream,
                    std::uint8_t flags = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM) {
    return h2_frame(NGHTTP2_HEADERS, flags, stream, h2_fields({}));
}

}  // namespace

LEAT_TEST("what a peer of HTTP/2 does wrong ends its connection with the right word",
          on(leat::testing::simulated)) {
    const std::string resets = [] {
        std::string all;
        for (std::uint32_t id = 1; id < 1000; id += 2) {
            all += head_of(id) + h2_frame(NGHTTP2_RST_STREAM, 0, id, h2_number(NGHTTP2_CANCEL));
        }
        return all;
    }();
    const auto times = [](int count, std::string_view frame) {
        std::string all;
        for (int i = 0; i < count; ++i) {
            all += frame;
        }
        return all;
    };
    const std::string open_head = head_of(1, 0);
    const std::string open_body = head_of(1, NGHTTP2_FLAG_END_HEADERS);
    const std::string tiny = h2_frame(NGHTTP2_CONTINUATION, 0, 1);
    // Fields that refer to one that was sent: a short head that is long when it is read.
    const std::string bomb = [] {
        std::string block = h2_fields({});
        block += '\x40';
        block.append(1, 1).append("x").append("\x7f\x81\x07", 3);  // a value of 127 + 897 bytes
        block.append(1024, 'y');
        block.append(15'000, '\xbe');  // the field that was added to the table
        return h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block);
    }();
    struct wrong {
        std::string_view what;
        std::string bytes;
        std::uint32_t code;
    };
    const wrong all[] = {
        {"rapid resets", resets, NGHTTP2_ENHANCE_YOUR_CALM},
        {"pings", times(2000, h2_frame(NGHTTP2_PING, 0, 0, "12345678")), NGHTTP2_ENHANCE_YOUR_CALM},
        {"settings", times(200, h2_frame(NGHTTP2_SETTINGS, 0, 0)), NGHTTP2_ENHANCE_YOUR_CALM},
        {"empty data", open_body + times(500, h2_frame(NGHTTP2_DATA, 0, 1)), NGHTTP2_ENHANCE_YOUR_CALM},
        {"continuations", open_head + times(50, tiny), NGHTTP2_ENHANCE_YOUR_CALM},
        {"a head that grows", bomb, NGHTTP2_ENHANCE_YOUR_CALM},
        {"priorities", times(2000, h2_frame(NGHTTP2_PRIORITY, 0, 1, h2_number(0) + "\x10")),
         NGHTTP2_ENHANCE_YOUR_CALM},
        {"small windows", times(2000, h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2_number(1))),
         NGHTTP2_ENHANCE_YOUR_CALM},
        {"no window", h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2_number(0)), NGHTTP2_PROTOCOL_ERROR},
        {"too large a window", h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2_number(0x7fff'ffff)),
         NGHTTP2_FLOW_CONTROL_ERROR},
        {"data of no stream", h2_frame(NGHTTP2_DATA, 0, 1, "x"), NGHTTP2_PROTOCOL_ERROR},
        {"a stream of the server's", head_of(2), NGHTTP2_PROTOCOL_ERROR},
        {"a stream that goes back", head_of(3) + head_of(1), NGHTTP2_STREAM_CLOSED},
        {"data behind the end", head_of(1) + h2_frame(NGHTTP2_DATA, 0, 1, "x"), NGHTTP2_STREAM_CLOSED},
        {"unknown frames", times(2000, h2_frame(0xbb, 0, 0)), NGHTTP2_ENHANCE_YOUR_CALM},
        {"a priority of nothing", h2_frame(NGHTTP2_PRIORITY, 0, 0, "12345"), NGHTTP2_PROTOCOL_ERROR},
        {"a frame inside a head", open_head + h2_frame(NGHTTP2_PING, 0, 0, "12345678"),
         NGHTTP2_PROTOCOL_ERROR},
        {"a long frame", h2_frame(NGHTTP2_DATA, 0, 1, std::string(16'385, 'x')), NGHTTP2_FRAME_SIZE_ERROR},
        {"no HPACK", h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff"),
         NGHTTP2_COMPRESSION_ERROR},
    };
    for (const auto& [what, bytes, code] : all) {
        h2_client listener;
        h2_server server;
        send_raw(listener, server, bytes);
        CHECK_MESSAGE(listener.goaway() == code, what);
        CHECK_MESSAGE(server.session.failed(), what);
        server.session.lose();
    }
    co_return;
}

LEAT_TEST("a peer that does not begin with the preface is told", on(leat::testing::simulated)) {
    h2_client listener;
    h2_server server;
    server.receive("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    listener.receive(server.take_out());
    CHECK(listener.goaway() == NGHTTP2_PROTOCOL_ERROR);
    CHECK(server.session.failed());
    co_return;
}

LEAT_TEST("frames that ask for nothing are none too many in time", on(leat::testing::simulated)) {
    h2_client listener;
    h2_server server;
    send_raw(listener, server, "");
    for (int i = 0; i < 10'000; ++i) {
        server.now += 20ms;
        server.receive(h2_frame(NGHTTP2_PING, 0, 0, "12345678"));
        listener.receive(server.take_out());
    }
    CHECK(!listener.goaway());
    CHECK(!server.session.failed());
    co_return;
}
