// SPDX-License-Identifier: MIT
//
// The peer: Asio with C++20 coroutines (epoll), as its documentation shows it.
#include <asio.hpp>
#include <cstdlib>
#include <iostream>
#include <string_view>

using asio::ip::tcp;

asio::awaitable<void> echo(tcp::socket peer) {
    try {
        char data[1024];
        for (;;) {
            std::size_t received = co_await peer.async_read_some(asio::buffer(data), asio::use_awaitable);
            co_await async_write(peer, asio::buffer(data, received), asio::use_awaitable);
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
    int port = argc == 3 && std::string_view(argv[1]) == "--port" ? std::atoi(argv[2]) : 8001;
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { context.stop(); });
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port)});
    acceptor.listen(4096);
    std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
    co_spawn(context, serve(std::move(acceptor)), asio::detached);
    context.run();
}
