// SPDX-License-Identifier: MIT
// What the two sides agree on: protocols (ALPN), the server's name (SNI), resumption.
#include <leat/tls/session.hpp>

#include <doctest/doctest.h>

#include "endpoints.hpp"

namespace leat::tls {
namespace {

TEST_CASE("the server takes the protocol that it likes best among those offered") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority, "http/1.1,h2,spdy/1");
    const context server_side = server_context(authority.issue({"a.example"}), "h3,h2,http/1.1");
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    CHECK(client.tls.alpn() == "h2");
    CHECK(server.tls.alpn() == "h2");
}

TEST_CASE("no protocol is agreed on when either side names none") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({"a.example"});
    for (const bool client_names : {false, true}) {
        const context client_side = client_context(authority, client_names ? "h2" : "");
        const context server_side = server_context(shown, client_names ? "" : "h2");
        endpoint client(client_side, "a.example");
        endpoint server(server_side);
        REQUIRE(shake_hands(client, server).done());
        CHECK(client.tls.alpn().empty());
        CHECK(server.tls.alpn().empty());
    }
}

TEST_CASE("protocols offered in vain end the handshake on both sides") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority, "h2");
    const context server_side = server_context(authority.issue({"a.example"}), "http/1.1");
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    const handshake_results results = shake_hands(client, server);
    CHECK(results.client.error == failure::alert);
    CHECK(client.tls.error_text() == "the peer sent the alert: no application protocol");
    CHECK(results.server.error == failure::protocol);
    CHECK(server.tls.error_text() == "no application protocol");
}

TEST_CASE("the server learns the name that the client asked for, but no address") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const context server_side = server_context(authority.issue({"a.example", "127.0.0.1", "::1"}));
    struct expectation {
        std::string_view host;
        std::string_view told;
    };
    for (const auto& [host, told] :
         {expectation{"a.example", "a.example"}, expectation{"a.example.", "a.example"},
          expectation{"127.0.0.1", ""}, expectation{"::1", ""}, expectation{"[::1]", ""}}) {
        endpoint client(client_side, host);
        endpoint server(server_side);
        REQUIRE(shake_hands(client, server).done());
        CHECK(server.tls.server_name() == told);
    }
}

// Shakes hands, and lets the client see the tickets that come with the first data.
bool resumes(const context& client_side, const context& server_side, std::string_view host) {
    endpoint client(client_side, host);
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    REQUIRE(server.write(client, "hello").done());
    REQUIRE(client.read(server) == "hello");
    CHECK(client.tls.resumed() == server.tls.resumed());
    CHECK(client.tls.peer_subject() == "CN=a.example");
    return client.tls.resumed();
}

TEST_CASE("a client resumes the session of the same host, also one that ended without close_notify") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const context server_side = server_context(authority.issue({"a.example", "b.example"}));
    CHECK_FALSE(resumes(client_side, server_side, "a.example"));
    CHECK(resumes(client_side, server_side, "a.example"));
    CHECK(resumes(client_side, server_side, "a.example"));
    CHECK_FALSE(resumes(client_side, server_side, "b.example"));
}

TEST_CASE("a client that does not want to resume does not") {
    testing::certificate_authority authority;
    const std::string ca = authority.certificate_text();
    const context client_side = context::client({.ca = pem::text(ca), .resume = false});
    const context server_side = server_context(authority.issue({"a.example"}));
    CHECK_FALSE(resumes(client_side, server_side, "a.example"));
    CHECK_FALSE(resumes(client_side, server_side, "a.example"));
}

TEST_CASE("a ticket of another server costs a full handshake and nothing else") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const testing::certificate shown = authority.issue({"a.example"});
    const context first = server_context(shown);
    const context second = server_context(shown);
    CHECK_FALSE(resumes(client_side, first, "a.example"));
    CHECK_FALSE(resumes(client_side, second, "a.example"));
}

}  // namespace
}  // namespace leat::tls
