// SPDX-License-Identifier: MIT
// WebSockets over streams of HTTP/2 (RFC 8441), by the handlers that accept those over HTTP/1.1.
#include "../http/serving.hpp"
#include "h2_socket.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <stdexcept>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::h2_handshake;
using leat::testing::h2_peer;
using leat::testing::h2_socket;
using leat::testing::said;
using leat::testing::serving;
using leat::testing::unattended;

namespace leat::websocket {
namespace {

constexpr std::array<std::string_view, 2> h2_spoken{"chat", "news"};

task<> h2_echo(socket& peer) {
    while (const auto heard = co_await peer.receive()) {
        if (heard->data == "fail") {
            throw std::runtime_error("asked to fail");
        }
        if (heard->data == "return") {
            co_return;
        }
        co_await peer.send(*heard);
    }
}

task<response> h2_site(const request& asked) {
    if (asked.target == "/page") {
        response page;
        page.body = "page";
        co_return page;
    }
    co_return accept(asked, h2_echo, {.protocols = h2_spoken});
}

task<any_stream> h2_dial(endpoint where) {
    tcp_stream made = co_await tcp_stream::connect(where);
    co_return any_stream(std::move(made));
}

http::serve_options h2_telling() {
    said.clear();
    http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr error, std::optional<endpoint>) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            said.emplace_back(known.what());
        }
    };
    return options;
}

}  // namespace

LEAT_TEST("WebSockets and pages share a connection of HTTP/2") {
    co_await serving(h2_site, h2_telling(), [](endpoint where) -> task<> {
        for (const std::uint32_t window : {1000U, 65'535U}) {
            h2_peer peer(co_await h2_dial(where), window);
            http::headers asked = h2_handshake;
            asked.add("sec-websocket-protocol", "other, news");
            h2_socket one(peer, "/", asked);
            h2_socket two(peer);
            for (const std::string& text : {std::string("hello"), std::string(300'000, 'x')}) {
                co_await one.send(text);
                co_await two.send("two");
                const auto page = peer.ask("/page");
                CHECK((co_await one.receive()) == text);
                CHECK((co_await two.receive()) == "two");
                const bool shown = co_await peer.finish(page);
                CHECK(shown);
                CHECK(peer.of(page).body == "page");
            }
            CHECK(one.answer().status == 200);
            CHECK(one.answer().fields.get("sec-websocket-protocol") == "news");
            CHECK(!one.answer().fields.contains("upgrade"));
            CHECK(!one.answer().fields.contains("sec-websocket-accept"));
            co_await one.close();
            CHECK(!(co_await one.receive()));
            CHECK(one.closed_with() == 1000);
            const bool ended = co_await peer.finish(one.id());
            CHECK(ended);
            CHECK(one.answer().whole);
            co_await two.send("still here");
            CHECK((co_await two.receive()) == "still here");
        }
        CHECK(said.empty());
    });
}

LEAT_TEST("what a handler says to a client of HTTP/2 that asks for a WebSocket is no WebSocket by mistake") {
    co_await serving(h2_site, h2_telling(), [](endpoint where) -> task<> {
        h2_peer peer(co_await h2_dial(where));
        const auto page = peer.connect("/page", "websocket", h2_handshake);
        const auto old = peer.connect("/", "websocket", {{"sec-websocket-version", "8"}});
        const auto other = peer.connect("/", "connect-udp", h2_handshake);
        const auto elsewhere =
            peer.connect("/", "websocket", {{"sec-websocket-version", "13"}, {"origin", "https://b.org"}});
        const auto plain = peer.ask("/");
        const bool all = co_await peer.finish({page, old, other, elsewhere, plain});
        CHECK(all);
        CHECK(peer.of(page).status == 501);
        CHECK(peer.of(page).body == "page");
        CHECK(peer.of(old).status == 426);
        CHECK(peer.of(other).status == 426);
        CHECK(peer.of(elsewhere).status == 403);
        CHECK(peer.of(plain).status == 426);
        CHECK(said.empty());
    });
}

LEAT_TEST("a handler of a WebSocket over HTTP/2 that returns closes with 1000, one that fails with 1011") {
    co_await serving(h2_site, h2_telling(), [](endpoint where) -> task<> {
        h2_peer peer(co_await h2_dial(where));
        for (const std::string_view word : {"return", "fail"}) {
            h2_socket one(peer);
            co_await one.send(word);
            CHECK(!(co_await one.receive()));
            CHECK(one.closed_with() == (word == "return" ? 1000 : 1011));
            co_await one.close();
            const bool ended = co_await peer.finish(one.id());
            CHECK(ended);
        }
        CHECK(said == std::vector<std::string>{"asked to fail"});
    });
}

LEAT_TEST("a WebSocket over HTTP/2 whose client resets the stream, or leaves, ends") {
    event ended;
    std::string how;
    const auto handler = [&](const request& asked) -> task<response> {
        co_return accept(asked, [&](socket& peer) -> task<> {
            const auto heard = co_await as_result(peer.receive());
            how = heard.error().message();
            ended.set();
        });
    };
    co_await serving(handler, unattended, [&](endpoint where) -> task<> {
        for (const bool resets : {true, false}) {
            h2_peer peer(co_await h2_dial(where));
            h2_socket one(peer);
            const bool begun = co_await peer.talk_until([&] { return one.answer().status == 200; });
            CHECK(begun);
            if (resets) {
                peer.reset(one.id());
                co_await peer.flush();
            } else {
                peer.end_body(one.id());
                co_await peer.flush();
            }
            co_await ended.wait();
            ended.reset();
            CHECK(how == (resets ? std::make_error_code(std::errc::connection_reset).message()
                                 : make_error_code(error::truncated).message()));
        }
    });
}

LEAT_TEST("a server that stops closes its WebSockets over HTTP/2 with 1001") {
    event stop;
    http::serve_options options{.grace = 1h, .stop_on = {}, .stop = &stop};
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const endpoint where = listener.local_endpoint();
    auto server = spawn(http::serve(std::move(listener), h2_site, options));
    h2_peer peer(co_await h2_dial(where));
    h2_socket one(peer);
    co_await one.send("hello");
    CHECK((co_await one.receive()) == "hello");
    stop.set();
    CHECK(!(co_await one.receive()));
    CHECK(one.closed_with() == 1001);
    co_await one.close();
    co_await peer.finish_all();
    CHECK(one.answer().whole);
    CHECK(peer.goaway() == NGHTTP2_NO_ERROR);
    peer.stream().close();
    co_await server;
}

LEAT_TEST("a WebSocket over HTTP/2 whose client takes nothing waits, until its handler ends",
          on(leat::testing::simulated)) {
    event go_on;
    bool sent = false;
    const auto handler = [&](const request& asked) -> task<response> {
        co_return accept(asked, [&](socket& peer) -> task<> {
            const auto done = co_await race(
                [&]() -> task<> {
                    co_await peer.send(std::string(100'000, 'x'));
                    sent = true;
                },
                [&]() -> task<> { co_await go_on.wait(); });
            (void)done;
        });
    };
    co_await serving(handler, unattended, [&](endpoint where) -> task<> {
        h2_peer peer(co_await h2_dial(where), 0);
        h2_socket one(peer);
        const bool begun = co_await peer.talk_until([&] { return one.answer().status == 200; });
        CHECK(begun);
        co_await sleep(1h);
        CHECK(!sent);
        CHECK(!one.answer().reset);
        go_on.set();
        const time_point begin = now();
        const bool ended = co_await peer.finish(one.id());
        CHECK(ended);
        CHECK(one.answer().reset == NGHTTP2_CANCEL);
        CHECK(now() - begin < 200s);
    });
}

}  // namespace leat::websocket
