// SPDX-License-Identifier: MIT
//
// The peer: Asio with C++20 coroutines (epoll), as its documentation shows it.
#include <asio.hpp>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

using asio::ip::tcp;

std::size_t buffer_size = 1024;

asio::awaitable<void> echo(tcp::socket peer) {
    try {
        std::vector<char> data(buffer_size);
        for (;;) {
            std::size_t received = co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
            co_await async_write(peer, asio::buffer(data.data(), received), asio::use_awaitable);
        }
    } catch (const std::system_error&) {  // the end of the stream, too
    }
}

asio::awaitable<void> serve(tcp::acceptor acceptor) {
    for (;;) {
        tcp::socket peer = co_await acceptor.async_accept(asio::use_awaitable);
        co_spawn(acceptor.get_executor(), echo(std::move(peer)), asio::detached);
    }
}

int main(int argc, char** argv) {
    int port = 8001;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::string_view(argv[i]) == "--port") {
            port = std::atoi(argv[i + 1]);
        } else if (std::string_view(argv[i]) == "--buffer") {
            buffer_size = std::strtoul(argv[i + 1], nullptr, 10);
        }
    }
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { context.stop(); });
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port)});
    acceptor.listen(4096);
    std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
    co_spawn(context, serve(std::move(acceptor)), asio::detached);
    context.run();
}
