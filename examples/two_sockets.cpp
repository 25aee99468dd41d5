// SPDX-License-Identifier: MIT
// Sends three messages in turn on each of two connections to an echo server, and reads the replies in turn.
#include "command_line.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace {

constexpr auto patience = std::chrono::seconds(10);  // for a reply
constexpr std::array messages{"This is the message. ", "It will be sent ", "in parts."};

// As large as what was sent, in as many pieces as it comes.
leat::task<> read_reply(leat::tcp_stream& server, std::size_t size) {
    std::string reply(size, '\0');
    co_await server.recv_exactly(reply);
    std::printf("%s: received \"%s\"\n", server.local_endpoint().to_string().c_str(), reply.c_str());
}

leat::task<> talk(examples::target where) {
    std::array<leat::tcp_stream, 2> servers;
    for (leat::tcp_stream& server : servers) {
        server = co_await leat::tcp_stream::connect(where.host, where.port);
    }
    for (const std::string message : messages) {
        for (leat::tcp_stream& server : servers) {
            std::printf("%s: sending \"%s\"\n", server.local_endpoint().to_string().c_str(), message.c_str());
            co_await server.send_all(message);
        }
        for (leat::tcp_stream& server : servers) {
            co_await leat::timeout(patience, read_reply(server, message.size()));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("two_sockets", "Talks to an echo server on two connections in turn.");
    std::string where = "127.0.0.1:8001";
    std::string backend;
    command.add("server", where, "where the server is", examples::kind::target);
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return talk(examples::parse_target(where)); }, {.backend = backend});
}
