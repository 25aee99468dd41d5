// SPDX-License-Identifier: MIT
// tls::connect and tls::accept: open a TLS stream and complete its handshake, as a client and as a server.
#pragma once

#include <leat/dns/resolve.hpp>
#include <leat/tcp.hpp>
#include <leat/tls/stream.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace leat::tls {

struct connect_options {
    duration timeout = std::chrono::seconds(60);  // for all of it: names, addresses and handshakes
    std::string_view server_name = {};            // whom to expect, if it is not the host connected to
    // How the host is looked up and connected to: as in leat::connect_options.
    duration attempt_delay = std::chrono::milliseconds(250);
    resolve_options names = {};
    std::optional<leat::endpoint> local = std::nullopt;
};

struct accept_options {
    duration timeout = std::chrono::seconds(10);  // for the handshake
};

// Connects to `host` by TCP and shakes hands, expecting a certificate for `host`: a name, or an IP address
// with or without brackets. A host that no certificate can be for is refused before connecting. Throws
// std::system_error or tls::error naming host and port. `shared`, and what the options refer to, live until
// then. Cancelled: nothing remains.
[[nodiscard]] task<stream<tcp_stream>> connect(const context& shared, std::string host, int port,
                                               connect_options options = {});

// Shakes hands with a client on `transport`. Throws std::system_error or tls::error naming the peer, which
// ends the connection. `shared` lives until then.
template <leat::stream Transport>
[[nodiscard]] task<stream<Transport>> accept(Transport transport, const context& shared,
                                             accept_options options = {}) {
    stream<Transport> made(std::move(transport), shared);
    co_await made.handshake(options.timeout);
    co_return std::move(made);
}

}  // namespace leat::tls
