// SPDX-License-Identifier: MIT
//
// leat: the README's echo server, with the backend and the port as options.
#include <leat/net.hpp>

#include <utility>

#include "leat_server.hpp"

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

leat::task<> serve(int port) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", port});
    co_await leat::serve(std::move(listener), echo, {.on_listening = announce});
}

int main(int argc, char** argv) {
    return run_server(argc, argv, 8001, serve);
}
