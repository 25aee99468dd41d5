// SPDX-License-Identifier: MIT
// permessage-deflate: the examples of RFC 7692, what is agreed on, and what is refused.
#include "../sockets.hpp"

#include <leat/http/headers.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/websocket/core/deflate.hpp>

#include <array>

using namespace std::string_view_literals;

namespace leat::websocket {
namespace {

using detail::accept_offer;
using detail::deflate_side;
using detail::deflate_terms;
using detail::extension_text;

constexpr int compressed_text = 0xc1;

// A server behind a handshake that has agreed on `terms`, and the stream of its client.
struct compressing {
    explicit compressing(const deflate_terms& terms, const socket_options& options = {})
        : compressing(testing::memory_stream::pair(), terms, options) {}

    testing::memory_stream client;
    socket server;

private:
    compressing(std::pair<testing::memory_stream, testing::memory_stream> streams, const deflate_terms& terms,
                const socket_options& options)
        : client(std::move(streams.first)),
          server(std::move(streams.second), role::server, options, {.deflate = terms}) {}
};

std::string agreed(std::string_view offers, bool keep_context) {
    http::headers fields;
    fields.add("Sec-WebSocket-Extensions", offers);
    const auto terms = accept_offer(fields, keep_context);
    return terms ? extension_text(*terms) : "nothing";
}

}  // namespace

LEAT_TEST("compressed messages are read as RFC 7692 shows them") {
    const std::array<std::string_view, 5> hello{
        "\xf2\x48\xcd\xc9\xc9\x07\x00"sv,                          // 7.2.3.1
        "\xf2\x00\x11\x00\x00"sv,                                  // 7.2.3.2: refers to the one before
        "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv,          // 7.2.3.3: stored
        "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv,                      // 7.2.3.4: marked as the last
        "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv,  // 7.2.3.5: two blocks
    };
    compressing both({});
    for (const std::string_view each : hello) {
        co_await both.client.send_all(frame(compressed_text, each));
        CHECK(co_await received(both.server) == "Hello");
    }
    co_await both.client.send_all(frame(0x41, hello[0].substr(0, 3)) + frame(a_ping, "") +
                                  frame(last, hello[0].substr(3)) + frame(last_text, "plain"));
    CHECK(co_await received(both.server) == "Hello");
    CHECK(co_await received(both.server) == "plain");
}

LEAT_TEST("a compressed message is read where messages have no limit") {
    compressing both({}, {.message_bytes = SIZE_MAX});
    co_await both.client.send_all(frame(compressed_text, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv));
    CHECK(co_await received(both.server) == "Hello");
}

LEAT_TEST("messages of every length arrive compressed, with and without a context that is kept") {
    for (const bool keeps : {true, false}) {
        const deflate_terms terms{.server = {.window_bits = 9, .keeps_context = keeps},
                                  .client = {.keeps_context = keeps}};
        auto [one, other] = testing::memory_stream::pair();
        socket client(std::move(one), role::client, {}, {.deflate = terms});
        socket server(std::move(other), role::server, {}, {.deflate = terms});
        std::string text;
        for (std::size_t size = 1; size < 600'000; size = size * 5 + 1) {
            while (text.size() < size) {
                text += std::to_string(text.size() * 7919 % 1000);
            }
            text.resize(size);
            co_await client.send(text);
            CHECK(co_await received(server) == text);
            co_await server.send(text);
            CHECK(co_await received(client) == text);
        }
    }
}

LEAT_TEST("what is sent is smaller, and a second time smaller still where the context is kept") {
    std::array<std::size_t, 2> second{};
    for (const bool keeps : {true, false}) {
        compressing both({.server = {.keeps_context = keeps}});
        const std::string text =
            "many words about many things, of which none is said twice in this sentence 0123";
        std::array<std::size_t, 2> sizes{};
        for (std::size_t& size : sizes) {
            co_await both.server.send(text);
            std::string head(2, ' ');
            co_await both.client.recv_exactly(head);
            CHECK(head[0] == static_cast<char>(compressed_text));
            size = static_cast<unsigned char>(head[1]);
            std::string payload(size, ' ');
            co_await both.client.recv_exactly(payload);
        }
        CHECK(sizes[0] < text.size());
        second[keeps ? 0 : 1] = sizes[1];
    }
    CHECK(second[0] < second[1] / 2);
}

LEAT_TEST("what unpacks to more than is allowed, to nothing sensible or to no UTF-8 ends the connection") {
    std::string zeros(1'000'000, '0');
    std::string bomb = detail::deflater({}).compress(zeros);
    std::string no_text = detail::deflater({}).compress("\xff\xff");
    struct wrong {
        std::string payload;
        error said;
    };
    const std::array all{wrong{bomb.substr(0, 120), error::message_too_big},
                         wrong{"\x07", error::invalid_text}, wrong{no_text, error::invalid_text}};
    for (const wrong& each : all) {
        compressing both({}, {.message_bytes = 10'000});
        co_await both.client.send_all(frame(compressed_text, each.payload));
        CHECK(co_await received(both.server) == make_error_code(each.said).message());
    }
}

TEST_CASE("the first offer that can be kept to is taken, with what it asks for") {
    CHECK(agreed("permessage-deflate", true) == "permessage-deflate");
    CHECK(agreed("permessage-deflate; client_max_window_bits", true) == "permessage-deflate");
    CHECK(agreed("permessage-deflate; client_max_window_bits=10", true) == "permessage-deflate");
    CHECK(agreed("permessage-deflate", false) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    CHECK(agreed("permessage-deflate; server_no_context_takeover", true) ==
          "permessage-deflate; server_no_context_takeover");
    CHECK(agreed("permessage-deflate;server_max_window_bits=\"10\"", true) ==
          "permessage-deflate; server_max_window_bits=10");
    CHECK(agreed("x-other, permessage-deflate; server_max_window_bits=8, permessage-deflate", true) ==
          "permessage-deflate");
    for (const std::string_view refused :
         {"x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits",
          "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=8",
          "permessage-deflate; client_max_window_bits=7", "permessage-deflate; something",
          "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate; server_no_context_takeover; server_no_context_takeover"}) {
        CAPTURE(refused);
        CHECK(agreed(refused, true) == "nothing");
    }
}

}  // namespace leat::websocket
