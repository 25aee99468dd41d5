// SPDX-License-Identifier: MIT
// tls::context: the settings that TLS connections share: which authorities to trust, which certificate to
// show, which protocols to speak. It is made once and used for many sessions, which keep alive what they need
// of it.
// Invariant: TLS 1.2 or newer, no renegotiation, no compression; a client checks the server's certificate
// and name unless `insecure` was asked for. Sessions in several threads may share one context.
#pragma once

#include <leat/tls/error.hpp>

#include <memory>
#include <string_view>

struct ssl_ctx_st;

namespace leat::tls {

enum class role { client, server };

// Certificates or a key in PEM form: in a file, or as text. Refers to the text it was made of.
class pem {
public:
    constexpr pem() noexcept = default;
    [[nodiscard]] static constexpr pem file(std::string_view path) noexcept { return {path, true}; }
    [[nodiscard]] static constexpr pem text(std::string_view text) noexcept { return {text, false}; }

    [[nodiscard]] constexpr bool given() const noexcept { return given_; }
    [[nodiscard]] constexpr bool is_file() const noexcept { return is_file_; }
    [[nodiscard]] constexpr std::string_view value() const noexcept { return value_; }

private:
    constexpr pem(std::string_view value, bool is_file) noexcept
        : value_(value), given_(true), is_file_(is_file) {}

    std::string_view value_;
    bool given_ = false;
    bool is_file_ = false;
};

struct client_options {
    pem ca = {};                  // trust these authorities instead of the system's
    bool insecure = false;        // accept every certificate, of anyone: for tests only
    std::string_view alpn = {};   // protocols to offer, best first: "h2,http/1.1"
    pem certificate = {};         // our own certificate, then its chain, for servers that ask for one
    pem key = {};                 // its private key
    bool resume = true;           // keep tickets, so that the next handshake with a host is cheaper
    bool release_buffers = true;  // an idle session owns no buffers, for a few allocations a message
};

struct server_options {
    pem certificate = {};         // the server's certificate, then its chain
    pem key = {};                 // its private key
    std::string_view alpn = {};   // protocols to accept, best first; one offered in vain ends the handshake
    pem client_ca = {};           // clients must show a certificate signed by one of these
    bool release_buffers = true;  // an idle session owns no buffers, for a few allocations a message
};

class context {
public:
    // Read the files they are given at once, blocking. Throw tls::error naming the file, or what is wrong.
    // The system's authorities are those of OpenSSL; SSL_CERT_FILE and SSL_CERT_DIR name others.
    [[nodiscard]] static context client(const client_options& options = {});
    [[nodiscard]] static context server(const server_options& options);

    [[nodiscard]] role side() const noexcept;
    [[nodiscard]] ssl_ctx_st* native() const noexcept { return handle_.get(); }

private:
    struct handle_free {
        void operator()(ssl_ctx_st* handle) const noexcept;
    };

    explicit context(role side);

    std::unique_ptr<ssl_ctx_st, handle_free> handle_;
};

}  // namespace leat::tls
