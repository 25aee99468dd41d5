// SPDX-License-Identifier: MIT
// OpenSSL over sockets that block, as programs of old use it: both ends of each connection are blocking
// functions of one thread.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

using fibre_tests::socket_pair;
namespace testing = leat::testing;

namespace {

template <auto function>
struct freed {
    void operator()(auto* object) const noexcept { function(object); }
};
using context = std::unique_ptr<SSL_CTX, freed<SSL_CTX_free>>;
using connection = std::unique_ptr<SSL, freed<SSL_free>>;
using chain = std::unique_ptr<BIO, freed<BIO_free_all>>;
using certificate = std::unique_ptr<X509, freed<X509_free>>;
using private_key = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;

chain text_bio(const std::string& text) {
    return chain(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

certificate certificate_of(const std::string& text) {
    return certificate(PEM_read_bio_X509(text_bio(text).get(), nullptr, nullptr, nullptr));
}

context server_context(const testing::certificate& shown) {
    context made(SSL_CTX_new(TLS_server_method()));
    const private_key key(PEM_read_bio_PrivateKey(text_bio(shown.key).get(), nullptr, nullptr, nullptr));
    REQUIRE(SSL_CTX_use_certificate(made.get(), certificate_of(shown.chain).get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(made.get(), key.get()) == 1);
    return made;
}

context client_context(const testing::certificate_authority& trusted) {
    context made(SSL_CTX_new(TLS_client_method()));
    const certificate root = certificate_of(trusted.certificate_text());
    REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(made.get()), root.get()) == 1);
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
    return made;
}

struct world {
    testing::certificate_authority authority;
    context server = server_context(authority.issue({"leat.example"}));
    context client = client_context(authority);
};

// Sends back what it gets, until the client ends. How the accept ended.
int echo(SSL_CTX* with, int fd) {
    const connection peer(SSL_new(with));
    SSL_set_fd(peer.get(), fd);
    const int accepted = SSL_accept(peer.get());
    char part[5000];
    for (int count = 0; accepted == 1 && (count = SSL_read(peer.get(), part, sizeof part)) > 0;) {
        if (SSL_write(peer.get(), part, count) != count) {
            break;
        }
    }
    SSL_shutdown(peer.get());
    ERR_clear_error();
    return accepted;
}

// Sends `text` over a BIO that blocks, and gives what comes back.
std::string echoed(SSL_CTX* with, int fd, const std::string& text) {
    const chain peer(BIO_push(BIO_new_ssl(with, 1), BIO_new_socket(fd, BIO_NOCLOSE)));
    SSL* ssl = nullptr;
    BIO_get_ssl(peer.get(), &ssl);
    SSL_set1_host(ssl, "leat.example");
    if (BIO_do_handshake(peer.get()) != 1 || SSL_get_verify_result(ssl) != X509_V_OK) {
        return "no connection";
    }
    std::string got;
    char part[5000];
    while (got.size() < text.size()) {
        const std::size_t some = std::min(sizeof part, text.size() - got.size());
        if (BIO_write(peer.get(), text.data() + got.size(), static_cast<int>(some)) !=
            static_cast<int>(some)) {
            break;
        }
        for (const std::size_t end = got.size() + some; got.size() < end;) {
            const int count = BIO_read(peer.get(), part, sizeof part);
            if (count <= 0) {
                return got;
            }
            got.append(part, static_cast<std::size_t>(count));
        }
    }
    SSL_shutdown(ssl);
    return got;
}

}  // namespace

LEAT_TEST("twenty connections of OpenSSL, both of whose ends block, go on at once in one thread",
          on(kernel)) {
    const world tls;
    const std::vector<socket_pair> sockets(20);
    std::vector<leat::handle<int>> servers;
    std::vector<leat::handle<std::string>> clients;
    for (const socket_pair& each : sockets) {
        servers.push_back(leat::spawn(leat::blocking(echo, tls.server.get(), each.far.get())));
    }
    for (const socket_pair& each : sockets) {
        const std::string text(20'000, static_cast<char>('a' + clients.size()));
        clients.push_back(leat::spawn(leat::blocking(echoed, tls.client.get(), each.near.get(), text)));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const std::string got = co_await clients[i];
        CHECK((got == std::string(20'000, static_cast<char>('a' + i))));
        const int accepted = co_await servers[i];
        CHECK(accepted == 1);
    }
}

LEAT_TEST("SSL_connect to a peer that says nothing is ended by a deadline", on(kernel)) {
    const world tls;
    const socket_pair sockets;
    int result = -7;
    int kind = -7;
    int error = 0;
    auto connecting = leat::spawn(leat::blocking([&] {
        const connection peer(SSL_new(tls.client.get()));
        SSL_set_fd(peer.get(), sockets.near.get());
        result = SSL_connect(peer.get());
        error = errno;
        kind = SSL_get_error(peer.get(), result);
        ERR_clear_error();
    }));
    co_await testing::wait_until_idle();
    connecting.cancel();
    const auto ended = co_await connecting.join();
    CHECK(ended.cancelled());
    CHECK(result == -1);
    CHECK(kind == SSL_ERROR_SYSCALL);
    CHECK(error == ECANCELED);
}

LEAT_TEST("a function that takes its errors of OpenSSL before it waits leaves none to others", on(kernel)) {
    const world tls;
    const testing::certificate_authority stranger;
    const context distrustful = client_context(stranger);
    const socket_pair good;
    const socket_pair bad;
    int reason = 0;
    auto servers = leat::spawn(leat::blocking(echo, tls.server.get(), good.far.get()));
    auto refused = leat::spawn(leat::blocking(echo, tls.server.get(), bad.far.get()));
    auto failing = leat::spawn(leat::blocking([&] {
        const connection peer(SSL_new(distrustful.get()));
        SSL_set_fd(peer.get(), bad.near.get());
        if (SSL_connect(peer.get()) != 1) {
            reason = ERR_GET_REASON(ERR_peek_last_error());
            ERR_clear_error();
        }
    }));
    const std::string text(20'000, 'a');
    const std::string got = co_await leat::blocking(echoed, tls.client.get(), good.near.get(), text);
    CHECK((got == text));
    co_await failing;
    CHECK(reason == SSL_R_CERTIFICATE_VERIFY_FAILED);
    const int accepted = co_await servers;
    CHECK(accepted == 1);
    const int not_accepted = co_await refused;
    CHECK(not_accepted != 1);
    CHECK(ERR_peek_error() == 0);
}
