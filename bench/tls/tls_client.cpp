// SPDX-License-Identifier: MIT
//
// Idle TLS connections for `bench/run memory`, as bench/echo/client.c makes those without TLS: it connects
// one after another, one round trip each, prints `connected`, and ends when its standard input does.
//
//   tls_client --port PORT --connections N [--message-size BYTES]
#include <leat/net.hpp>
#include <leat/system/pipe.hpp>
#include <leat/tls.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../echo/listening.h"

namespace {

struct load {
    int port;
    int connections;
    std::size_t message_size;
};

leat::task<> hold(load wanted) {
    const auto trust = leat::tls::context::client({.insecure = true, .resume = false});
    const std::string message(wanted.message_size, 'x');
    std::vector<leat::tls::stream<leat::tcp_stream>> all;
    for (int count = 0; count < wanted.connections; ++count) {
        auto below = co_await leat::tcp_stream::connect({"127.0.0.1", wanted.port});
        auto& peer = all.emplace_back(std::move(below), trust, "localhost");
        std::string reply(message.size(), ' ');
        co_await peer.send_all(message);
        co_await peer.recv_exactly(reply);
    }
    std::puts("connected");
    std::fflush(stdout);
    auto input = leat::pipe_reader::standard_input();
    while (co_await input.recv_chunk()) {
    }
    for (auto& peer : all) {
        co_await peer.shutdown_send();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const load wanted{
        .port = std::atoi(option(argc, argv, "--port", "8443")),
        .connections = std::atoi(option(argc, argv, "--connections", "1")),
        .message_size = std::strtoul(option(argc, argv, "--message-size", "64"), nullptr, 10),
    };
    return leat::run_main([wanted] { return hold(wanted); });
}
