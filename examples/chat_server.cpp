// SPDX-License-Identifier: MIT
// A chat over WebSocket: everybody on /chat gets what anybody says there. / is a page for browsers.
#include "command_line.hpp"

#include <leat/http.hpp>
#include <leat/race.hpp>
#include <leat/sync/broadcast.hpp>
#include <leat/websocket.hpp>

#include <string>
#include <string_view>

namespace {

constexpr std::string_view page_for_browsers =
    "<!doctype html><title>chat</title><input id=say autofocus><ul id=heard></ul><script>\n"
    "const chat = new WebSocket(location.href.replace('http', 'ws') + 'chat');\n"
    "chat.onmessage = m => { heard.append(Object.assign(document.createElement('li'), "
    "{textContent: m.data})); };\n"
    "chat.onclose = c => { document.title = 'closed: ' + c.code; };\n"
    "say.onchange = () => { chat.send(say.value); say.value = ''; };\n"
    "</script>\n";

leat::broadcast<std::string> room(1000);

leat::task<> chat(leat::websocket::socket& client) {
    auto heard = room.subscribe(leat::ignore_missed);  // who is a thousand lines behind misses some
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

leat::task<leat::http::response> site(const leat::http::request& asked) {
    if (asked.target == "/chat") {
        constexpr leat::websocket::socket_options options{
            .message_bytes = 10'000, .compression = leat::websocket::compression::each_message};
        co_return leat::websocket::accept(asked, chat, {.socket = options});
    }
    leat::http::response page;
    page.status = asked.target == "/" ? 200 : 404;
    page.headers.add("Content-Type", "text/html");
    page.body = asked.target == "/" ? page_for_browsers : "there is nothing here\n";
    co_return page;
}

leat::task<> serve(examples::server_options options) {
    auto listener = options.listen();
    co_await leat::http::serve(std::move(listener), site, {.on_listening = examples::announce});
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_server("chat_server", "A chat over WebSocket, with a page for browsers.",
                                {.host = "127.0.0.1", .port = 8005, .backend = ""}, argc, argv, serve);
}
