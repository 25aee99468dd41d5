// SPDX-License-Identifier: MIT
// Talks to a WebSocket: each line of standard input is a message, each message that comes is a line of
// standard output. Ends when the input or the server does.
#include "command_line.hpp"

#include <leat/framing.hpp>
#include <leat/race.hpp>
#include <leat/system/pipe.hpp>
#include <leat/websocket.hpp>

#include <cstdio>
#include <string>

namespace {

leat::task<> talk(std::string url) {
    leat::websocket::socket server = co_await leat::websocket::connect(
        url, {.socket = {.compression = leat::websocket::compression::each_message}});
    const auto hear = [&]() -> leat::task<> {
        while (const auto said = co_await server.receive()) {
            std::printf("%.*s\n", static_cast<int>(said->data.size()), said->data.data());
            std::fflush(stdout);
        }
    };
    const auto say = [&]() -> leat::task<> {
        leat::buffered_reader input(leat::pipe_reader::standard_input());
        while (const auto line = co_await leat::recv_line(input)) {
            co_await server.send(*line);
        }
        co_await server.close();
    };
    co_await leat::race(hear, say);
    if (const auto* why = server.closed_by_peer()) {
        std::fprintf(stderr, "closed with %d\n", static_cast<int>(why->code));
    }
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("chat_client", "Talks to a WebSocket, line by line.");
    std::string url;
    std::string backend;
    command.add_required("url", url, "such as ws://127.0.0.1:8005/chat");
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return talk(url); }, {.backend = backend});
}
