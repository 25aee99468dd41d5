// SPDX-License-Identifier: MIT
#include <leat/tls/context.hpp>

#include "../../support/folder.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

#include "endpoints.hpp"

namespace leat::tls {

using leat::testing::folder;

namespace {

// What making a context says: "" when it works. Whatever happens, nothing is left for the next call to trip
// on.
template <typename Options>
std::string complaint(context (*make)(const Options&), const Options& options) {
    try {
        const context made = make(options);
        CHECK(ERR_peek_error() == 0);
        return "";
    } catch (const error& refused) {
        CHECK(ERR_peek_error() == 0);
        CHECK(refused.code());
        return refused.what();
    }
}

std::string encrypted(const std::string& key_text) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> plain(
        BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())), BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(plain.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> sealed(BIO_new(BIO_s_mem()), BIO_free);
    char password[] = "secret";
    REQUIRE(PEM_write_bio_PrivateKey(sealed.get(), key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                                     password) == 1);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(sealed.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

TEST_CASE("certificates and keys come from files or from text") {
    const folder files;
    testing::certificate_authority authority;
    const testing::certificate shown = authority.intermediate("below").issue({"a.example"});
    const std::string ca = files.file("ca.pem", authority.certificate_text());
    const std::string chain = files.file("chain.pem", shown.chain);
    const std::string key = files.file("key.pem", shown.key);
    const context client_side = context::client({.ca = pem::file(ca)});
    const context server_side = context::server({.certificate = pem::file(chain), .key = pem::file(key)});
    CHECK(client_side.side() == role::client);
    CHECK(server_side.side() == role::server);
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    CHECK(shake_hands(client, server).done());
}

TEST_CASE("a certificate and its key may share a file, in any order, among other text") {
    const testing::certificate shown = testing::self_signed({"a.example"});
    const std::string both =
        "Bag Attributes\n    friendlyName: x\n" + shown.key + "\nsome words\n" + shown.chain;
    CHECK(complaint<server_options>(context::server,
                                    {.certificate = pem::text(both), .key = pem::text(both)}) == "");
}

TEST_CASE("a file that cannot be read is named, with the system's reason") {
    const testing::certificate shown = testing::self_signed({"a.example"});
    CHECK(complaint<client_options>(context::client, {.ca = pem::file("/nowhere/ca.pem")}) ==
          "cannot read the CA in /nowhere/ca.pem: No such file or directory");
    CHECK(complaint<server_options>(
              context::server, {.certificate = pem::file("/nowhere/a.pem"), .key = pem::text(shown.key)}) ==
          "cannot read the certificate in /nowhere/a.pem: No such file or directory");
    CHECK(complaint<server_options>(
              context::server, {.certificate = pem::text(shown.chain), .key = pem::file("/nowhere/key")}) ==
          "cannot read the key in /nowhere/key: No such file or directory");
    try {
        (void)context::client({.ca = pem::file("/nowhere/ca.pem")});
        FAIL("it was accepted");
    } catch (const std::system_error& refused) {
        CHECK(refused.code() == std::errc::no_such_file_or_directory);
    }
}

TEST_CASE("text without what it should hold is refused") {
    const folder files;
    const testing::certificate shown = testing::self_signed({"a.example"});
    const std::string empty = files.file("empty.pem", "");
    CHECK(complaint<client_options>(context::client, {.ca = pem::file(empty)}) ==
          "the CA in " + empty + " cannot be used: no certificate in PEM form");
    CHECK(complaint<client_options>(context::client, {.ca = pem::text("")}) ==
          "the given CA cannot be used: no certificate in PEM form");
    CHECK(complaint<server_options>(context::server,
                                    {.certificate = pem::text(shown.key), .key = pem::text(shown.key)}) ==
          "the given certificate cannot be used: no certificate in PEM form");
    CHECK(complaint<server_options>(context::server,
                                    {.certificate = pem::text(shown.chain), .key = pem::text(shown.chain)}) ==
          "the given key cannot be used: no private key in PEM form");
    std::string damaged = shown.chain;
    damaged[damaged.size() / 2] = '!';
    CHECK(complaint<server_options>(context::server,
                                    {.certificate = pem::text(damaged), .key = pem::text(shown.key)})
              .starts_with("the given certificate cannot be used: "));
}

TEST_CASE("a key that belongs to another certificate is refused") {
    const testing::certificate shown = testing::self_signed({"a.example"});
    const testing::certificate other = testing::self_signed({"a.example"});
    const testing::certificate rsa = testing::self_signed({"a.example"}, {.key = testing::key_kind::rsa});
    for (const std::string& key : {other.key, rsa.key}) {
        CHECK(complaint<server_options>(context::server,
                                        {.certificate = pem::text(shown.chain), .key = pem::text(key)})
                  .starts_with("the given key does not belong to the given certificate: "));
    }
}

TEST_CASE("an encrypted key is refused without asking for the password") {
    const testing::certificate shown = testing::self_signed({"a.example"});
    const std::string key = encrypted(shown.key);
    CHECK(complaint<server_options>(context::server,
                                    {.certificate = pem::text(shown.chain), .key = pem::text(key)}) ==
          "the given key cannot be used: it is encrypted");
}

TEST_CASE("a server needs a certificate, and a certificate its key") {
    const testing::certificate shown = testing::self_signed({"a.example"});
    CHECK(complaint<server_options>(context::server, {}) == "a TLS server needs a certificate and its key");
    CHECK(complaint<server_options>(context::server, {.certificate = pem::text(shown.chain)}) ==
          "a certificate and its key are given together, or neither");
    CHECK(complaint<client_options>(context::client, {.key = pem::text(shown.key)}) ==
          "a certificate and its key are given together, or neither");
}

TEST_CASE("protocol names have 1 to 255 bytes") {
    const std::string longest(255, 'a');
    const std::string too_long(256, 'a');
    CHECK(complaint<client_options>(context::client, {.alpn = longest}) == "");
    CHECK(complaint<client_options>(context::client, {.alpn = too_long}) ==
          "ALPN protocol names have 1 to 255 bytes, not 256");
    CHECK(complaint<client_options>(context::client, {.alpn = "h2,,http/1.1"}) ==
          "ALPN protocol names have 1 to 255 bytes, not 0");
}

TEST_CASE("without release_buffers everything works the same") {
    testing::certificate_authority authority;
    const std::string ca = authority.certificate_text();
    const testing::certificate shown = authority.issue({"a.example"});
    const context client_side = context::client({.ca = pem::text(ca), .release_buffers = false});
    const context server_side = context::server(
        {.certificate = pem::text(shown.chain), .key = pem::text(shown.key), .release_buffers = false});
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    for (const std::size_t size : {1U, 1000U, 100'000U, 3U}) {
        CHECK(client.write(server, pattern(size)).done());
        CHECK(server.read(client) == pattern(size));
    }
}

}  // namespace
}  // namespace leat::tls
