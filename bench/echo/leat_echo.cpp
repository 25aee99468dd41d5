// SPDX-License-Identifier: MIT
//
// leat: the README's echo server, with the backend and the port as options.
#include <leat/net.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

void announce(std::string_view where) {
    std::printf("listening on %.*s\n", static_cast<int>(where.size()), where.data());
    std::fflush(stdout);
}

leat::task<> serve(int port) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", port});
    co_await leat::serve(std::move(listener), echo, {.on_listening = announce});
}

int main(int argc, char** argv) {
    int port = 8001;
    leat::run_options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (name == "--port") {
            port = std::atoi(argv[i + 1]);
        } else if (name == "--backend") {
            options.backend = argv[i + 1];
        }
    }
    return leat::run_main([port] { return serve(port); }, options);
}
