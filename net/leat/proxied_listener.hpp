// SPDX-License-Identifier: MIT
// proxied_listener: a listener behind proxies that speak the PROXY protocol, for serve() and http::serve.
// What remote_endpoint() of its streams gives is the client that the proxy tells of:
//
//   leat::proxied_listener behind(leat::tcp_listener::bind({"0.0.0.0", 8080}),
//                                 {.proxies = {leat::network::parse("10.0.0.0/8")}});
//   co_await leat::serve(std::move(behind), echo);  // task<> echo(leat::tcp_stream client)
//
// It may be below a tls::listener, or given to http::serve() with a TLS context. serve_options::per_address
// counts the connections of a proxy, not of clients.
//
// Invariant: nobody but the trusted proxies can say whom a connection is from.
#pragma once

#include <leat/network.hpp>
#include <leat/proxy_protocol.hpp>
#include <leat/tcp.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace leat {

// A connection whose header is still to come. serve() gives it to handlers of tcp_stream, too.
class proxied_stream : public tcp_stream {
public:
    using after_handshake = tcp_stream;

    proxied_stream() noexcept = default;
    // `by_proxy`: the peer is a proxy, which sends a header first.
    proxied_stream(tcp_stream accepted, bool by_proxy) noexcept
        : tcp_stream(std::move(accepted)), header_is_due_(by_proxy) {}

    // Receives the header, if one is due; serve() does so within serve_options::handshake, http::serve()
    // within server_limits::head. Throws as recv_proxy_header() does. A proxy that speaks for itself stays
    // the peer.
    [[nodiscard]] task<> handshake();

private:
    bool header_is_due_ = false;
};

struct proxied_options {
    std::vector<network> proxies = {};  // whose word is taken; they must send a header
    bool direct = false;                // others may connect, as they are; else they are reset at once
};

class proxied_listener {
public:
    proxied_listener(tcp_listener below, proxied_options options) noexcept
        : below_(std::move(below)), options_(std::move(options)) {}

    // The next connection of a proxy, or, if `direct`, of anybody. Errors, and what cancelling it does, are
    // those of tcp_listener.
    [[nodiscard]] task<proxied_stream> accept();
    void close() noexcept { below_.close(); }
    [[nodiscard]] endpoint local_endpoint() const { return below_.local_endpoint(); }

private:
    tcp_listener below_;
    proxied_options options_;
};

}  // namespace leat
