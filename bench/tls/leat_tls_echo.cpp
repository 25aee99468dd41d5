// SPDX-License-Identifier: MIT
//
// leat: an echo server over TLS, with a certificate of its own making.
#include <leat/net.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/tls.hpp>

#include <utility>

#include "../echo/leat_server.hpp"

leat::task<> echo(leat::tls::stream<leat::tcp_stream> peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
    co_await peer.shutdown_send();
}

leat::task<> serve(int port) {
    const leat::testing::certificate made = leat::testing::self_signed({"localhost"});
    const auto shown = leat::tls::context::server(
        {.certificate = leat::tls::pem::text(made.chain), .key = leat::tls::pem::text(made.key)});
    auto listener = leat::tcp_listener::bind({"127.0.0.1", port});
    co_await leat::serve(leat::tls::listener(std::move(listener), shown), echo, {.on_listening = announce});
}

int main(int argc, char** argv) {
    return run_server(argc, argv, 8443, serve);
}
