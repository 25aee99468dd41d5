// SPDX-License-Identifier: MIT
// WebSockets in an HTTP server: the handshake, what refuses it, and how a socket ends there.
#include "../http/serving.hpp"

#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/websocket.hpp>

#include <array>
#include <stdexcept>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::answers_to;
using leat::testing::serving;
using leat::testing::unattended;

namespace leat::websocket {
namespace {

constexpr std::array<std::string_view, 2> spoken{"chat", "news"};

task<> echo(socket& peer) {
    while (const auto said = co_await peer.receive()) {
        if (said->data == "fail") {
            throw std::runtime_error("asked to fail");
        }
        if (said->data == "protocol") {
            co_await peer.send(peer.protocol());
        } else if (said->data == "return") {
            co_return;
        } else {
            co_await peer.send(*said);
        }
    }
}

task<response> site(const request& asked) {
    co_return accept(asked, echo, {.protocols = spoken});
}

std::string handshake(std::string_view more = {}) {
    return "GET /echo HTTP/1.1\r\nHost: example.org\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
           "websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           std::string(more) + "\r\n";
}

// A client behind the handshake that `more` is part of.
task<std::unique_ptr<socket>> connect(endpoint where, std::string more = {}) {
    tcp_stream stream = co_await tcp_stream::connect(where);
    co_await stream.send_all(handshake(more));
    for (std::string line = "head"; !line.empty();) {
        line = (co_await recv_line(stream)).value();
    }
    co_return std::make_unique<socket>(any_stream(std::move(stream)), role::client);
}

int status_of(std::string_view answer) {
    REQUIRE(answer.starts_with("HTTP/1.1 "));
    return std::stoi(std::string(answer.substr(9, 3)));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != text.npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

LEAT_TEST("the handshake is that of RFC 6455, with a protocol both speak, and then messages go both ways") {
    co_await serving(site, unattended, [](endpoint where) -> task<> {
        CHECK((co_await answers_to(where, handshake("Sec-WebSocket-Protocol: other, news\r\n"
                                                    "Sec-WebSocket-Protocol: chat\r\n"))) ==
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: news\r\n"
              "Connection: upgrade\r\n\r\n");
        const auto peer = co_await connect(where, "Sec-WebSocket-Protocol: chat\r\n");
        co_await peer->send("hello");
        CHECK((co_await peer->receive())->data == "hello");
        co_await peer->send("protocol");
        CHECK((co_await peer->receive())->data == "chat");
        co_await peer->close();
        CHECK(peer->closed_by_peer()->code == close_code::normal);
    });
}

LEAT_TEST("requests that are no handshake are refused, by the status that says why") {
    co_await serving(site, unattended, [](endpoint where) -> task<> {
        const std::string good = handshake();
        const std::array<std::pair<std::string, int>, 9> all{{
            {replaced(good, "Upgrade: websocket", "Upgrade: h2c"), 426},
            {replaced(good, "keep-alive, Upgrade", "keep-alive"), 426},
            {replaced(good, "Version: 13", "Version: 8"), 426},
            {replaced(good, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), 400},
            {replaced(good, "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q=="), 400},
            {replaced(good, "GET", "POST"), 400},
            {replaced(good, "HTTP/1.1", "HTTP/1.0"), 426},
            {handshake("Origin: https://elsewhere.org\r\n"), 403},
            {handshake("Origin: null\r\n"), 403},
        }};
        for (const auto& [bytes, status] : all) {
            CAPTURE(bytes);
            CHECK(status_of(co_await answers_to(where, bytes)) == status);
        }
        CHECK(status_of(co_await answers_to(where, handshake("Origin: https://EXAMPLE.org\r\n"))) == 101);
    });
}

LEAT_TEST("a handler that returns closes with 1000, one that fails with 1011, and the failure is told") {
    static event* failed;
    static std::string told;
    event has_failed;
    failed = &has_failed;
    http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr error, std::optional<endpoint>) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            told = known.what();
            failed->set();
        }
    };
    co_await serving(site, options, [&](endpoint where) -> task<> {
        const auto one = co_await connect(where);
        co_await one->send("return");
        CHECK(!(co_await one->receive()).has_value());
        CHECK(one->closed_by_peer()->code == close_code::normal);
        const auto other = co_await connect(where);
        co_await other->send("fail");
        CHECK(!(co_await other->receive()).has_value());
        CHECK(other->closed_by_peer()->code == close_code::internal_error);
        co_await has_failed.wait();
    });
    CHECK(told == "asked to fail");
}

LEAT_TEST("a server that stops closes its sockets with 1001, and ends when they have answered",
          on(testing::simulated)) {
    event stop;
    http::serve_options options = unattended;
    options.grace = 1h;
    options.stop = &stop;
    co_await serving(site, options, [&stop](endpoint where) -> task<> {
        const auto peer = co_await connect(where);
        co_await peer->send("hello");
        CHECK((co_await peer->receive())->data == "hello");
        const auto before = now();
        stop.set();
        CHECK(!(co_await peer->receive()).has_value());
        CHECK(peer->closed_by_peer()->code == close_code::going_away);
        CHECK(now() - before < 1s);  // virtual time: what the network takes, and no limit
    });
}

LEAT_TEST("a socket whose peer is gone without a close fails its handler, which is nothing to be told") {
    static int told;
    told = 0;
    http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr, std::optional<endpoint>) { ++told; };
    co_await serving(site, options, [](endpoint where) -> task<> {
        {
            const auto peer = co_await connect(where);
            co_await peer->send("hello");
            CHECK((co_await peer->receive())->data == "hello");
        }
        co_await testing::wait_until_idle();
    });
    CHECK(told == 0);
}

}  // namespace leat::websocket
