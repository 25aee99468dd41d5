// SPDX-License-Identifier: MIT
// Answers each client once, with what it sent first, and closes the connection.
#include "command_line.hpp"

#include <chrono>

namespace {

leat::task<> answer_once(leat::tcp_stream peer) {
    if (const leat::chunk request = co_await peer.recv_chunk()) {
        co_await peer.send_all(request);
    }
    // What the client has sent meanwhile is read: closing with unread bytes would reset the connection, and
    // the answer might be lost.
    peer.shutdown_send();
    const auto read_the_rest = [&]() -> leat::task<> {
        while (const leat::chunk more = co_await peer.recv_chunk()) {
        }
    };
    (void)co_await leat::move_on_after(std::chrono::seconds(1), read_the_rest);
}

leat::task<> serve(examples::server_options options) {
    auto listener = options.listen();
    co_await leat::serve(std::move(listener), answer_once, {.on_listening = examples::announce});
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_server("one_shot_server", "Answers each client once, and closes.",
                                {.host = "127.0.0.1", .port = 8001, .backend = ""}, argc, argv, serve);
}
