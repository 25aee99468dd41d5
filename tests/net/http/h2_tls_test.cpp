// SPDX-License-Identifier: MIT
// HTTP/2 over TLS, for clients that agree on it, and HTTP/1 for the others.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/http/serve_tls.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>

using leat::http::request;
using leat::http::response;
using leat::testing::h2_peer;
using secured_stream = leat::tls::stream<leat::tcp_stream>;

namespace {

leat::tls::context both_versions() {
    static const leat::testing::certificate_authority authority;
    const leat::testing::certificate issued = authority.issue({"server.example"});
    return leat::tls::context::server({.certificate = leat::tls::pem::text(issued.chain),
                                       .key = leat::tls::pem::text(issued.key),
                                       .alpn = "h2,http/1.1"});
}

leat::task<response> agreed(const request& asked) {
    response made;
    made.body = asked.version == leat::http::version::http_2 ? "2 " : "1 ";
    made.body += asked.connection->tls()->alpn();
    co_return made;
}

leat::task<> with_tls_server(leat::http::serve_tls_options options,
                             std::function<leat::task<>(leat::endpoint)> body) {
    const leat::tls::context shared = both_versions();
    co_await leat::testing::during_server(
        [&shared, options](leat::tcp_listener listener) {
            return leat::http::serve(std::move(listener), shared, agreed, options);
        },
        std::move(body));
}

leat::task<secured_stream> dial_secured(leat::endpoint where, std::string_view alpn) {
    const auto trusting = leat::tls::context::client({.insecure = true, .alpn = alpn});
    auto below = co_await leat::tcp_stream::connect(where);
    secured_stream made(std::move(below), trusting, "server.example");
    co_await made.handshake();
    co_return made;
}

}  // namespace

LEAT_TEST("TLS agrees on the version of HTTP") {
    co_await with_tls_server({.http = leat::testing::unattended}, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(leat::any_stream(co_await dial_secured(where, "h2,http/1.1")));
        const auto asked = peer.ask("/");
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        CHECK(peer.of(asked).body == "2 h2");
        auto old = co_await dial_secured(where, "http/1.1");
        co_await old.send_all(leat::testing::get("/"));
        const leat::chunk answer = co_await old.recv_chunk();
        CHECK(answer.text().ends_with("\r\n\r\n1 http/1.1"));
        auto wrong = co_await dial_secured(where, "http/1.1");
        co_await wrong.send_all(leat::testing::h2_preface);
        const leat::chunk refused = co_await wrong.recv_chunk();
        CHECK(refused.text().starts_with("HTTP/1.1 505 "));
    });
}

LEAT_TEST("a server that speaks no HTTP/2 ends the connection of a client that has agreed on it") {
    leat::http::serve_tls_options options{.http = leat::testing::unattended};
    options.http.limits.http2 = false;
    co_await with_tls_server(options, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await dial_secured(where, "h2,http/1.1");
        const std::string nothing = co_await leat::testing::rest_of(peer);
        CHECK(nothing.empty());
    });
}
