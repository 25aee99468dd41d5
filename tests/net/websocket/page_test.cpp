// SPDX-License-Identifier: MIT
// The code of docs/websocket.md, as it stands there.
#include "../http/serving.hpp"
#include "sockets.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

namespace {

leat::broadcast<std::string> room(1000);

// WEBSOCKET: begin
leat::task<> echo(leat::websocket::socket& client) {
    while (const auto said = co_await client.receive()) {
        co_await client.send(*said);
    }
}

leat::task<leat::http::response> site(const leat::http::request& asked) {
    if (asked.target == "/echo") {
        co_return leat::websocket::accept(asked, echo);
    }
    leat::http::response page;
    page.status = 404;
    co_return page;
}
// WEBSOCKET: end

// WEBSOCKET: begin
// What anybody says goes to all.
leat::task<> chat(leat::websocket::socket& client) {
    auto heard = room.subscribe(leat::ignore_missed);
    const auto tell = [&]() -> leat::task<> {
        while (const auto line = co_await heard.receive()) {
            co_await client.send(*line);
        }
    };
    const auto listen = [&]() -> leat::task<> {
        while (const auto said = co_await client.receive()) {
            room.publish(std::string(said->data));
        }
    };
    co_await leat::race(listen, tell);
}
// WEBSOCKET: end

// WEBSOCKET: begin
leat::task<std::string> first_news(std::string url) {
    leat::websocket::socket server = co_await leat::websocket::connect(url);
    co_await server.send("what is new?");
    const auto news = co_await server.receive();
    std::string said(news ? news->data : "nothing");
    co_await server.close();
    co_return said;
}
// WEBSOCKET: end

}  // namespace

LEAT_TEST("websocket page: a request for a socket is answered by 101, another by 404") {
    leat::http::request asked;
    asked.target = "/echo";
    asked.headers = {{"Host", "a"},
                     {"Connection", "Upgrade"},
                     {"Upgrade", "websocket"},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    const leat::http::response accepted = co_await site(asked);
    CHECK(accepted.status == 101);
    asked.target = "/";
    const leat::http::response refused = co_await site(asked);
    CHECK(refused.status == 404);
}

LEAT_TEST("websocket page: a client asks and is answered") {
    co_await leat::testing::serving(
        site, leat::testing::unattended, [](leat::endpoint where) -> leat::task<> {
            CHECK(co_await first_news("ws://" + where.to_string() + "/echo") == "what is new?");
        });
}

LEAT_TEST("websocket page: what one says in the chat goes to all, and echo gives it back") {
    leat::websocket::two_sockets one;
    leat::websocket::two_sockets other;
    leat::websocket::two_sockets echoing;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(chat(one.server));
        group.spawn(chat(other.server));
        group.spawn(echo(echoing.server));
        co_await leat::testing::wait_until_idle();
        co_await one.client.send("hello");
        for (leat::websocket::socket* each : {&one.client, &other.client}) {
            const auto heard = co_await each->receive();
            CHECK(heard->data == "hello");
        }
        co_await echoing.client.send("again");
        const auto heard = co_await echoing.client.receive();
        CHECK(heard->data == "again");
        for (leat::websocket::socket* each : {&one.client, &other.client, &echoing.client}) {
            co_await each->close();
        }
    });
}
