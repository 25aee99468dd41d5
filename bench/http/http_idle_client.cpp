// SPDX-License-Identifier: MIT
//
// Idle HTTP connections for `bench/run memory`, as bench/echo/client.c makes those of an echo server: one
// request each, one after another. It prints `connected`, and ends when its standard input does.
//
//   http_idle_client --port PORT --connections N
#include <leat/net.hpp>
#include <leat/system/pipe.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "../echo/listening.h"

namespace {

leat::task<leat::tcp_stream> ask_once(int port) {
    auto peer = co_await leat::tcp_stream::connect({"127.0.0.1", port});
    co_await peer.send_all("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::string answer;
    while (!answer.ends_with("hello\n")) {
        const leat::chunk more = co_await peer.recv_chunk();
        if (more.empty()) {
            throw std::runtime_error("the server closed a connection");
        }
        answer += more.text();
    }
    co_return peer;
}

leat::task<> hold(int port, int connections) {
    std::vector<leat::tcp_stream> all;
    for (int count = 0; count < connections; ++count) {
        all.push_back(co_await ask_once(port));
    }
    std::puts("connected");
    std::fflush(stdout);
    auto input = leat::pipe_reader::standard_input();
    while (co_await input.recv_chunk()) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    const int port = std::atoi(option(argc, argv, "--port", "8080"));
    const int connections = std::atoi(option(argc, argv, "--connections", "1"));
    return leat::run_main([port, connections] { return hold(port, connections); });
}
