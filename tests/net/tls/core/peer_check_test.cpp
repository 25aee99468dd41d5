// SPDX-License-Identifier: MIT
#include <leat/tls/core/peer_check.hpp>

#include <doctest/doctest.h>

#include "../endpoints.hpp"

namespace leat::tls {
namespace {

using namespace std::chrono_literals;

// What a client that trusts `authority` says of a server that shows `shown`: "" when it is content.
std::string verdict(const testing::certificate_authority& authority, const testing::certificate& shown,
                    std::string_view host) {
    const context client_side = client_context(authority);
    const context server_side = server_context(shown);
    endpoint client(client_side, host);
    endpoint server(server_side);
    const handshake_results results = shake_hands(client, server);
    if (results.done()) {
        return "";
    }
    CHECK(results.client.error == failure::certificate);
    CHECK(results.server.error == failure::alert);
    return client.tls.error_text();
}

TEST_CASE("a certificate for the host is accepted, whatever its key") {
    testing::certificate_authority authority;
    for (const auto kind : {testing::key_kind::ec, testing::key_kind::ed25519, testing::key_kind::rsa}) {
        const testing::certificate shown = authority.issue({"a.example", "b.example"}, {.key = kind});
        CHECK(verdict(authority, shown, "a.example") == "");
        CHECK(verdict(authority, shown, "B.Example") == "");
        CHECK(verdict(authority, shown, "a.example.") == "");
    }
    for (const auto kind : {testing::key_kind::ed25519, testing::key_kind::rsa}) {
        testing::certificate_authority other("another kind", kind);
        CHECK(verdict(other, other.issue({"a.example"}), "a.example") == "");
    }
}

TEST_CASE("a certificate for another host is refused, with both names") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({"a.example", "*.b.example", "10.1.2.3"});
    CHECK(verdict(authority, shown, "wrong.example") ==
          "certificate verify failed: hostname mismatch: the certificate is for a.example, *.b.example, "
          "10.1.2.3, not for wrong.example");
    CHECK(verdict(authority, shown, "10.1.2.4") ==
          "certificate verify failed: IP address mismatch: the certificate is for a.example, *.b.example, "
          "10.1.2.3, not for 10.1.2.4");
}

TEST_CASE("a wildcard stands for one whole label") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({"*.b.example"});
    CHECK(verdict(authority, shown, "www.b.example") == "");
    CHECK(verdict(authority, shown, "b.example") != "");
    CHECK(verdict(authority, shown, "deep.www.b.example") != "");
    CHECK(verdict(authority, authority.issue({"w*.b.example"}), "www.b.example") != "");
    CHECK(verdict(authority, authority.issue({"*.example"}), "b.example") != "");
    CHECK(verdict(authority, authority.issue({"*"}), "localhost") != "");
}

TEST_CASE("addresses are matched as addresses") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({"127.0.0.1", "::1"});
    CHECK(verdict(authority, shown, "127.0.0.1") == "");
    CHECK(verdict(authority, shown, "::1") == "");
    CHECK(verdict(authority, shown, "0:0:0:0:0:0:0:1") == "");
    CHECK(verdict(authority, shown, "::1%lo") == "");
    CHECK(verdict(authority, shown, "[::1]") == "");
    CHECK(verdict(authority, shown, "[::1%lo]") == "");
    CHECK(
        verdict(authority, shown, "::2") ==
        "certificate verify failed: IP address mismatch: the certificate is for 127.0.0.1, ::1, not for ::2");
}

TEST_CASE("a common name is no host name") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({}, {.common_name = "a.example"});
    CHECK(verdict(authority, shown, "a.example") ==
          "certificate verify failed: hostname mismatch: the certificate is for no host, not for a.example");
}

TEST_CASE("a certificate is refused before and after its time") {
    testing::certificate_authority authority;
    CHECK(verdict(authority, authority.issue({"a.example"}, {.not_before = -48h, .not_after = -1h}),
                  "a.example") == "certificate verify failed: certificate has expired");
    CHECK(verdict(authority, authority.issue({"a.example"}, {.not_before = 1h, .not_after = 48h}),
                  "a.example") == "certificate verify failed: certificate is not yet valid");
}

TEST_CASE("a certificate of an unknown authority is refused") {
    testing::certificate_authority authority;
    testing::certificate_authority unknown("somebody else");
    CHECK(verdict(authority, unknown.issue({"a.example"}), "a.example") ==
          "certificate verify failed: unable to get local issuer certificate");
    // The same name does not help it.
    testing::certificate_authority impostor("leat test authority");
    CHECK(verdict(authority, impostor.issue({"a.example"}), "a.example") ==
          "certificate verify failed: certificate signature failure");
}

TEST_CASE("a certificate that vouches for itself is refused unless it is the one that is trusted") {
    testing::certificate_authority authority;
    const testing::certificate shown = testing::self_signed({"a.example"});
    CHECK(verdict(authority, shown, "a.example") == "certificate verify failed: self-signed certificate");

    const context client_side = context::client({.ca = pem::text(shown.chain)});
    const context server_side = server_context(shown);
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    CHECK(shake_hands(client, server).done());
}

TEST_CASE("authorities between the root and the server come with its certificate") {
    testing::certificate_authority root;
    const testing::certificate_authority below = root.intermediate("below");
    const testing::certificate_authority lowest = below.intermediate("lowest");
    testing::certificate shown = lowest.issue({"a.example"});
    CHECK(verdict(root, shown, "a.example") == "");
    CHECK(verdict(below, shown, "a.example") == "");  // an anchor need not be a root

    const std::string end = "-----END CERTIFICATE-----\n";
    shown.chain.resize(shown.chain.find(end) + end.size());
    CHECK(verdict(root, shown, "a.example") ==
          "certificate verify failed: unable to get local issuer certificate");
}

TEST_CASE("an insecure client accepts everything, and may expect nobody") {
    const context client_side = context::client({.insecure = true});
    const context server_side =
        server_context(testing::self_signed({"b.example"}, {.not_before = -48h, .not_after = -24h}));
    for (const std::string_view host : {"a.example", ""}) {
        endpoint client(client_side, host);
        endpoint server(server_side);
        CHECK(shake_hands(client, server).done());
    }
}

TEST_CASE("the system's authorities do not know ours") {
    testing::certificate_authority authority;
    const context client_side = context::client();
    const context server_side = server_context(authority.issue({"a.example"}));
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    CHECK(shake_hands(client, server).client.error == failure::certificate);
    CHECK(client.tls.error_text().starts_with(
        "certificate verify failed: unable to get local issuer certificate"));
}

TEST_CASE("what cannot be a host is refused by name") {
    testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const auto text = [&](std::string_view host) -> std::string {
        try {
            const session made(client_side, host);
        } catch (const error& refused) {
            CHECK(refused.code() == failure::configuration);
            return refused.what();
        }
        return "";
    };
    CHECK(text("") == "a TLS client must be told which host to expect");
    CHECK(text("a b") == "not a host name or address: \"a b\"");
    CHECK(text("a.example:443") == "not a host name or address: \"a.example:443\"");
    CHECK(text(std::string_view("a.example\0.evil.example", 23)) ==
          "not a host name or address: \"a.example?.evil.example\"");
    CHECK(text(".") == "not a host name or address: \".\"");
    for (const std::string wrong : {"a..b", ".a", "a..", "127.0.0.1.", "[127.0.0.1]", "[::1", "::1]", "[]",
                                    "[[::1]]", "[::1]:443", "1:2", "[a.example]"}) {
        CHECK(text(wrong) == "not a host name or address: \"" + wrong + "\"");
    }
    CHECK(text(std::string(254, 'a')) != "");
    CHECK(text("a.example") == "");
}

TEST_CASE("text that a certificate chose is printed harmlessly") {
    testing::certificate_authority authority("evil\n\x1b[31mCA");
    testing::certificate_authority trusted;
    const testing::certificate shown =
        authority.issue({"1.example", "2.example", "3.example", "4.example", "5.example", "6.example"},
                        {.common_name = "two\nlines"});
    CHECK(verdict(authority, shown, "a.example") ==
          "certificate verify failed: hostname mismatch: the certificate is for 1.example, 2.example, "
          "3.example, 4.example, 5.example, ..., not for a.example");
    const context client_side = client_context(authority);
    const context server_side = server_context(shown);
    endpoint client(client_side, "1.example");
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    CHECK(client.tls.peer_subject() == "CN=two\\0Alines");
}

TEST_CASE("a server that wants certificates of its clients accepts those of its authority alone") {
    testing::certificate_authority authority;
    testing::certificate_authority other("somebody else");
    const std::string ca = authority.certificate_text();
    const testing::certificate of_server = authority.issue({"a.example"});
    server_options demanding{.certificate = pem::text(of_server.chain),
                             .key = pem::text(of_server.key),
                             .client_ca = pem::text(ca)};
    context server_side = context::server(demanding);
    const auto try_with = [&](const testing::certificate* of_client) {
        client_options options{.ca = pem::text(ca)};
        if (of_client != nullptr) {
            options.certificate = pem::text(of_client->chain);
            options.key = pem::text(of_client->key);
        }
        const context client_side = context::client(options);
        endpoint client(client_side, "a.example");
        endpoint server(server_side);
        const step result = shake_hands(client, server).server;
        return result.done() ? server.tls.peer_subject() : server.tls.error_text();
    };
    const testing::certificate known = authority.issue({"client.example"});
    const testing::certificate unknown = other.issue({"client.example"});
    CHECK(try_with(&known) == "CN=client.example");
    CHECK(try_with(&unknown) == "certificate verify failed: unable to get local issuer certificate");
    CHECK(try_with(nullptr) == "peer did not return a certificate");

    demanding.require_client_certificate = false;
    server_side = context::server(demanding);
    CHECK(try_with(&known) == "CN=client.example");
    CHECK(try_with(&unknown) == "certificate verify failed: unable to get local issuer certificate");
    CHECK(try_with(nullptr) == "");
}

}  // namespace
}  // namespace leat::tls
