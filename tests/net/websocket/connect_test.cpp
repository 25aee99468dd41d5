// SPDX-License-Identifier: MIT
// WebSockets as a client: the handshake, what refuses it, and what a server may not answer.
#include "../http/serving.hpp"

#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/websocket.hpp>
#include <leat/websocket/core/handshake.hpp>

#include "../../support/http_origin.hpp"
#include "sockets.hpp"

#include <array>
#include <stdexcept>

using leat::http::request;
using leat::http::response;
using leat::testing::serving;
using leat::testing::unattended;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::then;

namespace leat::websocket {
namespace {

constexpr std::array<std::string_view, 2> news_or_chat{"news", "chat"};
constexpr std::array<std::string_view, 1> only_chat{"chat"};

task<> repeat(socket& peer) {
    while (const auto said = co_await peer.receive()) {
        co_await peer.send(*said);
    }
}

task<response> repeating_site(const request& asked) {
    if (asked.target == "/moved") {
        response moved;
        moved.status = 307;
        moved.headers.add("Location", "/repeat?x");
        co_return moved;
    }
    if (asked.target == "/none") {
        response none;
        none.status = 404;
        none.body = "no such place";
        co_return none;
    }
    co_return accept(asked, repeat, {.socket = {.compression = compression::shared}, .protocols = only_chat});
}

std::string place_of(endpoint where, std::string_view path) {
    return "ws://127.0.0.1:" + std::to_string(where.port()) + std::string(path);
}

std::string field_of(const std::string& head, const std::string& name) {
    const std::size_t begin = head.find(name + ": ");
    REQUIRE(begin != head.npos);
    return head.substr(begin + name.size() + 2, head.find('\r', begin) - begin - name.size() - 2);
}

// Answers a handshake; with `more` among its fields and behind its head.
answer agreed_with(const std::string& head, std::string_view more, std::string_view behind = {}) {
    return {
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
        "Sec-WebSocket-Accept: " +
            detail::accepted_key(field_of(head, "Sec-WebSocket-Key")) + "\r\n" + std::string(more) + "\r\n" +
            std::string(behind),
        then::end};
}

// What connecting to an origin fails with that answers a handshake with `more` among the fields.
task<std::string> refusal_of(std::string_view more, connect_options options = {}) {
    http_origin origin([more](const std::string& head) { return agreed_with(head, more); });
    http::client client(direct);
    std::string said;
    co_await origin.during([&]() -> task<> {
        said = co_await error_of(connect(client, origin.url("/"), options));
        const std::string place = origin.url("/");
        REQUIRE(said.starts_with(place));
        said.erase(0, place.size());
    });
    co_return said;
}

}  // namespace

LEAT_TEST("a client connects, agrees on a protocol and on compression, and messages go both ways") {
    co_await serving(repeating_site, unattended, [](endpoint where) -> task<> {
        http::client client(direct);
        socket peer = co_await connect(
            client, place_of(where, "/repeat"),
            {.socket = {.compression = compression::each_message}, .protocols = news_or_chat});
        CHECK(peer.protocol() == "chat");
        CHECK(peer.compresses());
        for (const std::size_t size : {0, 5, 100'000}) {
            const std::string text(size, 't');
            co_await peer.send(text);
            CHECK((co_await peer.receive())->data == text);
        }
        co_await peer.close();
        CHECK(peer.closed_by_peer()->code == close_code::normal);
    });
}

LEAT_TEST("a socket outlives the client that connected it, and a redirect is followed") {
    co_await serving(repeating_site, unattended, [](endpoint where) -> task<> {
        auto client = std::make_unique<http::client>(direct);
        socket peer = co_await connect(*client, place_of(where, "/moved"));
        CHECK(client->idle_connections() == 0);  // that of the redirect was asked again
        client.reset();
        CHECK(!peer.compresses());
        CHECK(peer.protocol().empty());
        co_await peer.send("hello");
        CHECK((co_await peer.receive())->data == "hello");
        co_await peer.close();
    });
}

LEAT_TEST("the request is that of RFC 6455, with the fields that were given") {
    http_origin origin([](const std::string& head) {
        return agreed_with(head, "", frame(last_text, "").substr(0, 1) + std::string("\x05hello"));
    });
    co_await origin.during([&]() -> task<> {
        http::client client(direct);
        http::headers fields;
        fields.add("Origin", "http://example.org");
        socket peer = co_await connect(client, origin.url("/feed?a=1"), {.fields = fields});
        CHECK((co_await peer.receive())->data == "hello");  // it came with the answer
        const std::string head = origin.heads.at(0);
        CHECK(head.starts_with("GET /feed?a=1 HTTP/1.1\r\n"));
        CHECK(field_of(head, "Connection") == "Upgrade");
        CHECK(field_of(head, "Upgrade") == "websocket");
        CHECK(field_of(head, "Sec-WebSocket-Version") == "13");
        CHECK(field_of(head, "Origin") == "http://example.org");
        CHECK(head.find("Sec-WebSocket-Protocol") == head.npos);
        CHECK(head.find("Sec-WebSocket-Extensions") == head.npos);
        CHECK(detail::is_handshake_key(field_of(head, "Sec-WebSocket-Key")));
        socket other = co_await connect(client, origin.url("/"));
        CHECK(field_of(head, "Sec-WebSocket-Key") != field_of(origin.heads.at(1), "Sec-WebSocket-Key"));
    });
}

LEAT_TEST("a server that answers otherwise is told with its answer") {
    co_await serving(repeating_site, unattended, [](endpoint where) -> task<> {
        http::client client(direct);
        const std::string place = place_of(where, "/none");
        bool told = false;
        try {
            (void)co_await connect(client, place);
        } catch (const http::upgrade_refused& refused) {
            told = true;
            CHECK(refused.code() == http::error::not_upgraded);
            CHECK(std::string(refused.what()) == "http" + place.substr(2) +
                                                     ": asked for websocket, the server answered 404 Not "
                                                     "Found");
            CHECK(refused.answer().status == 404);
            CHECK(refused.answer().body == "no such place");
        }
        CHECK(told);
        CHECK(client.idle_connections() == 1);  // its body was read
    });
}

LEAT_TEST("an answer that agrees to what was not offered is refused") {
    CHECK(co_await refusal_of("Sec-WebSocket-Protocol: chat\r\n") ==
          ": the server chose a protocol that was not offered");
    CHECK(co_await refusal_of("Sec-WebSocket-Protocol: other\r\n", {.protocols = news_or_chat}) ==
          ": the server chose a protocol that was not offered");
    CHECK(co_await refusal_of("Sec-WebSocket-Extensions: permessage-deflate\r\n") ==
          ": the server chose an extension that was not offered");
    for (const std::string_view extension :
         {"x-other", "permessage-deflate, permessage-deflate", "permessage-deflate; client_max_window_bits",
          "permessage-deflate; client_max_window_bits=8", "permessage-deflate; server_max_window_bits=16",
          "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
          "permessage-deflate; what=1"}) {
        CAPTURE(extension);
        CHECK(co_await refusal_of("Sec-WebSocket-Extensions: " + std::string(extension) + "\r\n",
                                  {.socket = {.compression = compression::shared}}) ==
              ": the server chose an extension that was not offered");
    }
}

LEAT_TEST("an answer to another handshake is refused, and one that does not upgrade") {
    for (const bool upgrades : {true, false}) {
        http_origin origin([upgrades](const std::string&) -> answer {
            return {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " +
                        std::string(upgrades ? "websocket" : "h2c") +
                        "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                    then::end};
        });
        co_await origin.during([&]() -> task<> {
            http::client client(direct);
            CHECK(co_await error_of(connect(client, origin.url("/"))) ==
                  origin.url("/") + (upgrades ? ": the answer is not one to this WebSocket handshake"
                                              : ": asked for websocket, the server answered 101 Switching "
                                                "Protocols"));
        });
    }
}

LEAT_TEST("what a server may agree on of the client's offer, it may") {
    for (const std::string_view extension :
         {"permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
          "permessage-deflate; server_max_window_bits=8; client_max_window_bits=9"}) {
        CAPTURE(extension);
        http_origin origin([&](const std::string& head) {
            return agreed_with(head, "Sec-WebSocket-Extensions: " + std::string(extension) + "\r\n");
        });
        co_await origin.during([&]() -> task<> {
            http::client client(direct);
            socket peer =
                co_await connect(client, origin.url("/"), {.socket = {.compression = compression::shared}});
            CHECK(peer.compresses());
            CHECK(field_of(origin.heads.at(0), "Sec-WebSocket-Extensions") ==
                  "permessage-deflate; client_max_window_bits");
        });
    }
}

LEAT_TEST("a proxy is asked for a tunnel, also for ws, and not for another connection to the same host") {
    http_origin proxy([](const std::string& head) -> answer {
        if (head.starts_with("CONNECT")) {
            return {"HTTP/1.1 200 OK\r\n\r\n"};
        }
        return agreed_with(head, "");
    });
    co_await proxy.during([&]() -> task<> {
        http::client client(direct);
        http::proxies through;
        through.set_all(proxy.url(""));
        client.use_proxies(through);
        socket peer = co_await connect(client, "ws://example.test/feed");
        CHECK(proxy.heads.at(0).starts_with("CONNECT example.test:80 HTTP/1.1\r\nHost: example.test:80\r\n"));
        CHECK(proxy.heads.at(1).starts_with("GET /feed HTTP/1.1\r\nHost: example.test\r\n"));
    });
}

LEAT_TEST("a connect that is cancelled in its handshake closes the connection") {
    http_origin origin([](const std::string&) -> answer { return {"", then::hold}; });
    co_await origin.during([&]() -> task<> {
        http::client client(direct);
        auto connecting = spawn(connect(client, origin.url("/")));
        while (origin.heads.empty()) {
            co_await yield();
        }
        connecting.cancel();
        CHECK((co_await connecting.join()).cancelled());
        while (origin.ended == 0) {
            co_await origin.some_ended.wait();
        }
    });
}

LEAT_TEST("a URL of another scheme, and a protocol that is no token, are refused at once") {
    CHECK(co_await error_of(connect("ftp://example.org/")) ==
          "bad URL \"ftp://example.org/\": its scheme is neither http nor https");
    http::client client(direct);
    constexpr std::array<std::string_view, 1> not_a_token{"a b"};
    const auto failed = co_await as_outcome(connect(client, "ws://127.0.0.1:1/", {.protocols = not_a_token}));
    CHECK_THROWS_AS((void)failed.value(), std::invalid_argument);
}

}  // namespace leat::websocket
