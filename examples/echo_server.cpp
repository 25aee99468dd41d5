// SPDX-License-Identifier: MIT
// Sends back whatever arrives, to thousands of clients at once, in one thread.
#include "command_line.hpp"

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

leat::task<> serve(examples::server_options options) {
    auto listener = options.listen();
    co_await leat::serve(std::move(listener), echo, {.on_listening = examples::announce});
}

int main(int argc, char** argv) {
    return examples::run_server("echo_server", "Sends back whatever arrives.",
                                {.host = "0.0.0.0", .port = 8001, .backend = ""}, argc, argv, serve);
}
