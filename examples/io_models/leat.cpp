// SPDX-License-Identifier: MIT
// leat: reads as the blocking server does, and waits as the edge-triggered one, or by io_uring, which is
// given the operations themselves and tells when they are done.
#include "model.hpp"

#include <leat/net.hpp>

namespace io_models {

namespace {

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

void serve(int listener, std::string_view backend) {
    leat::run([&] { return leat::serve(leat::tcp_listener::from_fd(listener), echo); }, {.backend = backend});
}

}  // namespace

void serve_leat_epoll(int listener) {
    serve(listener, "epoll");
}

void serve_leat_uring(int listener) {
    serve(listener, "uring");
}

}  // namespace io_models
