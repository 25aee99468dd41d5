// SPDX-License-Identifier: MIT
// Which of a server's certificates a client is shown, by the name that it asks for (SNI) and the kinds of
// keys that it takes.
#include <leat/tls/core/certificate_names.hpp>
#include <leat/tls/session.hpp>

#include "../../support/folder.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "endpoints.hpp"
#include "foreign_peer.hpp"

namespace leat::tls {
namespace {

using testing::certificate;
using testing::key_kind;

certified_key given(const certificate& made) {
    return {pem::text(made.chain), pem::text(made.key)};
}

// A server that shows these, the first by default.
context showing(const std::vector<certificate>& all, bool refuse_unknown_names = false) {
    server_options options{.certificate = pem::text(all.front().chain),
                           .key = pem::text(all.front().key),
                           .refuse_unknown_names = refuse_unknown_names};
    for (std::size_t next = 1; next < all.size(); ++next) {
        options.more.push_back(given(all[next]));
    }
    return context::server(options);
}

// One that accepts every certificate, and signatures of these algorithms.
context accepting(const char* algorithms = "ECDSA+SHA256:RSA-PSS+SHA256:ed25519") {
    context made = context::client({.insecure = true});
    REQUIRE(SSL_CTX_set1_sigalgs_list(made.native(), algorithms) == 1);
    return made;
}

// Who is shown to a client that asks for `host`, or why nobody is.
std::string shown_to(const context& client_side, const context& server_side, std::string_view host) {
    endpoint client(client_side, host);
    endpoint server(server_side);
    const handshake_results results = shake_hands(client, server);
    return results.done() ? client.tls.peer_subject() : client.tls.error_text();
}

TEST_CASE("a client is shown the certificate of the name that it asks for, before one of a wildcard") {
    const testing::certificate_authority authority;
    const context client_side = accepting();
    const context server_side =
        showing({authority.issue({"first.example", "127.0.0.1"}, {.common_name = "first"}),
                 authority.issue({"*.b.example"}, {.common_name = "wildcard"}),
                 authority.issue({"own.b.example", "Upper.Example"}, {.common_name = "own"})});
    struct expectation {
        std::string_view host;
        std::string_view shown;
    };
    for (const auto& [host, shown] : {
             expectation{"first.example", "CN=first"}, expectation{"own.b.example", "CN=own"},
             expectation{"OWN.b.Example", "CN=own"}, expectation{"upper.example", "CN=own"},
             expectation{"other.b.example", "CN=wildcard"}, expectation{"OTHER.B.EXAMPLE", "CN=wildcard"},
             expectation{"b.example", "CN=first"}, expectation{"c.a.b.example", "CN=first"},
             expectation{"unknown", "CN=first"},
             expectation{"127.0.0.1", "CN=first"},  // asks for no name (RFC 6066, 3)
         }) {
        CHECK(shown_to(client_side, server_side, host) == shown);
    }
}

TEST_CASE("names that are none are names of no certificate") {
    const testing::certificate_authority authority;
    const context server_side = showing({authority.issue({"a.example"}), authority.issue({"*.b.example"})});
    const std::string longest(250, 'x');
    for (const std::string& name :
         {std::string("."), std::string(".b.example"), std::string("b."), std::string("x."),
          longest + ".b.ex", longest + "x.b.e", std::string("*")}) {
        endpoint server(server_side);
        foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
        REQUIRE(SSL_set_tlsext_host_name(client.ssl(), name.c_str()) == 1);
        REQUIRE(client.shake_hands(server).done());
        CHECK(detail::certificate_subject(SSL_get0_peer_certificate(client.ssl())) == "CN=a.example");
    }
    endpoint server(server_side);
    foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
    REQUIRE(SSL_set_tlsext_host_name(client.ssl(), "*.b.example") == 1);
    REQUIRE(client.shake_hands(server).done());
    CHECK(detail::certificate_subject(SSL_get0_peer_certificate(client.ssl())) == "CN=*.b.example");
}

TEST_CASE("a certificate may begin with a name that is longer than a client can ask for") {
    const testing::certificate_authority authority;
    std::string longest = "x.example";
    while (longest.size() < 256) {
        longest.insert(0, std::string(60, 'x') + ".");
    }
    const certificate first = authority.issue({longest, "a.example"}, {.common_name = "first"});
    const context server_side = showing({first, authority.issue({"*.b.example"})});
    const context client_side = client_context(authority);
    CHECK(shown_to(client_side, server_side, "a.example") == "CN=first");
    CHECK(shown_to(client_side, server_side, "x.b.example") == "CN=*.b.example");
}

TEST_CASE("a chosen certificate comes with its chain, and a client that checks both is content") {
    const testing::certificate_authority authority;
    const testing::certificate_authority below = authority.intermediate("below");
    const context client_side = client_context(authority);
    const context server_side = showing({authority.issue({"a.example"}), below.issue({"*.b.example"})});
    CHECK(shown_to(client_side, server_side, "a.example") == "CN=a.example");
    CHECK(shown_to(client_side, server_side, "x.b.example") == "CN=*.b.example");
}

TEST_CASE("of certificates for one name, a client takes one whose kind of key it knows") {
    const testing::certificate_authority authority;
    const context server_side =
        showing({authority.issue({"a.example"}, {.common_name = "a ec"}),
                 authority.issue({"a.example"}, {.key = key_kind::rsa, .common_name = "a rsa"}),
                 authority.issue({"b.example"}, {.common_name = "b ec"}),
                 authority.issue({"b.example"}, {.common_name = "never"}),
                 authority.issue({"*.example"}, {.key = key_kind::rsa, .common_name = "wildcard rsa"})});
    const context elliptic = accepting("ECDSA+SHA256");
    const context rsa = accepting("RSA-PSS+SHA256");
    const context edwards = accepting("ed25519");
    CHECK(shown_to(elliptic, server_side, "a.example") == "CN=a ec");
    CHECK(shown_to(rsa, server_side, "a.example") == "CN=a rsa");
    CHECK(shown_to(rsa, server_side, "unknown") == "CN=a rsa");
    CHECK(shown_to(elliptic, server_side, "b.example") == "CN=b ec");
    CHECK(shown_to(rsa, server_side, "b.example") == "CN=wildcard rsa");
    CHECK(shown_to(edwards, server_side, "b.example") == "the peer sent the alert: handshake failure");
}

TEST_CASE("an unknown name is refused when that is asked, and no name is not") {
    const testing::certificate_authority authority;
    const context client_side = accepting();
    for (const bool several : {false, true}) {
        std::vector<certificate> all = {authority.issue({"a.example"})};
        if (several) {
            all.push_back(authority.issue({"*.b.example"}));
        }
        const context server_side = showing(all, true);
        CHECK(shown_to(client_side, server_side, "a.example") == "CN=a.example");
        CHECK(shown_to(client_side, server_side, "127.0.0.1") == "CN=a.example");
        endpoint client(client_side, "c.example");
        endpoint server(server_side);
        const handshake_results results = shake_hands(client, server);
        CHECK(results.client.error == failure::alert);
        CHECK(client.tls.error_text() == "the peer sent the alert: unrecognized name");
        CHECK(results.server.error == failure::protocol);
        CHECK(server.tls.error_text() ==
              "no certificate is for the name that the client asks for: c.example");
    }
}

TEST_CASE("a session is resumed for a name of a further certificate, and knows the name") {
    const testing::certificate_authority authority;
    const context server_side = showing({authority.issue({"a.example"}), authority.issue({"b.example"})});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const context client_side = client_context(authority);
        REQUIRE(SSL_CTX_set_max_proto_version(client_side.native(), version) == 1);
        for (const bool resumes : {false, true}) {
            endpoint client(client_side, "b.example");
            endpoint server(server_side);
            REQUIRE(shake_hands(client, server).done());
            REQUIRE(server.write(client, "hello").done());
            CHECK(client.read(server) == "hello");
            CHECK(client.tls.resumed() == resumes);
            CHECK(client.tls.peer_subject() == "CN=b.example");
            CHECK(server.tls.server_name() == "b.example");
        }
    }
}

// With a key that OpenSSL refuses to show to anybody.
certificate weak(const char* name) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{512}), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    REQUIRE((key != nullptr && made != nullptr));
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key.get());
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, (std::string("DNS:") + name).c_str()),
        X509_EXTENSION_free);
    REQUIRE(X509_add_ext(made.get(), names.get(), -1) == 1);
    REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
    const auto written = [&text] {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(text.get(), &bytes);
        return std::string(bytes, static_cast<std::size_t>(size));
    };
    REQUIRE(PEM_write_bio_X509(text.get(), made.get()) == 1);
    certificate given{.chain = written(), .key = {}};
    REQUIRE(BIO_reset(text.get()) == 1);
    REQUIRE(PEM_write_bio_PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    given.key = written();
    return given;
}

TEST_CASE("what is wrong with a further certificate is told with its file") {
    const testing::folder files;
    const testing::certificate_authority authority;
    const certificate first = authority.issue({"a.example"});
    const certificate second = authority.issue({"b.example"});
    const std::string path = files.file("b.key", first.key);
    const auto complaint = [&](const certified_key& further) -> std::string {
        try {
            (void)context::server({.certificate = pem::text(first.chain),
                                   .key = pem::text(first.key),
                                   .more = {given(second), further}});
        } catch (const error& refused) {
            CHECK(refused.code() == failure::configuration);
            return refused.what();
        }
        return "";
    };
    CHECK(complaint({pem::text(second.chain), pem::file(path)})
              .starts_with("the key in " + path + " does not belong to the given certificate: "));
    CHECK(complaint({pem::text(second.chain), {}}) ==
          "a certificate and its key are given together, or neither");
    CHECK(complaint({}) == "a certificate and its key are given together, or neither");
    const certificate too_weak = weak("c.example");
    const std::string weak_path = files.file("c.pem", too_weak.chain);
    CHECK(complaint({pem::file(weak_path), pem::text(too_weak.key)}) ==
          "the certificate in " + weak_path + " cannot be used: ee key too small");
    CHECK(complaint(given(authority.issue({"c.example"}))).empty());
}

}  // namespace
}  // namespace leat::tls
