// SPDX-License-Identifier: MIT
// Sends back whatever arrives with the letters a to z as A to Z. Each client has a queue of replies: its
// requests are received, up to a bound, while it is slow to take its replies, and those keep their order.
#include "command_line.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t replies_max = 64;  // in a queue; a full one stops receiving

std::string upper(std::string_view text) {
    std::string reply(text);
    for (char& letter : reply) {
        if (letter >= 'a' && letter <= 'z') {  // bytes, whatever the locale
            letter = static_cast<char>(letter - 'a' + 'A');
        }
    }
    return reply;
}

leat::task<> serve_client(leat::tcp_stream peer) {
    leat::channel<std::string> replies(replies_max);
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            while (const leat::chunk request = co_await peer.recv_chunk()) {
                co_await replies.send(upper(request.text()));
            }
            replies.close();  // the client sends no more: the queue empties
        });
        while (const std::optional<std::string> reply = co_await replies.receive()) {
            co_await peer.send_all(*reply);
        }
    });
}

leat::task<> serve(examples::server_options options) {
    auto listener = options.listen();
    co_await leat::serve(std::move(listener), serve_client, {.on_listening = examples::announce});
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_server("upper_server", "Sends back whatever arrives in upper case.",
                                {.host = "127.0.0.1", .port = 7777, .backend = ""}, argc, argv, serve);
}
