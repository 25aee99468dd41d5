// SPDX-License-Identifier: MIT
// tls::context: the settings that TLS connections share: which authorities to trust, which certificates to
// show, which protocols to speak. It is made once and used for many sessions, which keep alive what they need
// of it.
// Invariant: TLS 1.2 or newer, no renegotiation, no compression, no early data; a client checks the server's
// certificate and name unless `insecure` was asked for. Sessions in several threads may share one context.
#pragma once

#include <leat/tls/error.hpp>
#include <leat/tls/pem.hpp>

#include <memory>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace leat::tls {

class session;

enum class role { client, server };

struct client_options {
    pem ca = {};                  // trust these authorities instead of the system's
    bool insecure = false;        // accept every certificate, of anyone: for tests only
    std::string_view alpn = {};   // protocols to offer, best first: "h2,http/1.1"
    pem certificate = {};         // our own certificate, then its chain, for servers that ask for one
    pem key = {};                 // its private key
    bool ask_ocsp = false;        // ask for an OCSP response: session::ocsp_response()
    bool resume = true;           // keep tickets, so that the next handshake with a host is cheaper
    bool release_buffers = true;  // an idle session owns no buffers, for a few allocations a message
    // A file to append the secrets of all sessions to, in the format of NSS, for programs such as Wireshark.
    // Who reads it reads everything: for debugging only. It is written by the thread of the session, and
    // made, when there is none, for its owner alone. The environment (SSLKEYLOGFILE) is never looked at.
    std::string_view key_log_file = {};
};

struct server_options {
    pem certificate = {};  // the server's certificate, then its chain
    pem key = {};          // its private key
    der ocsp = {};         // see certified_key
    // Further ones. A client is shown those for the name that it asks for (SNI): its own before wildcards, of
    // several for one name the first of each kind of key (ECDSA, RSA), of which the client takes what it can.
    // Who asks for another name, or for none, is shown the first of all, and those for its first name.
    std::vector<certified_key> more = {};
    bool refuse_unknown_names = false;  // by the alert unrecognized_name; who asks for no name is not refused
    std::string_view alpn = {};  // protocols to accept, best first; one offered in vain ends the handshake
    pem client_ca = {};          // clients must show a certificate signed by one of these
    bool require_client_certificate = true;  // false: with client_ca, those that show none are welcome too
    bool release_buffers = true;         // an idle session owns no buffers, for a few allocations a message
    std::string_view key_log_file = {};  // see client_options
};

class context {
public:
    // Read the files they are given at once, blocking. Throw tls::error naming the file, or what is wrong.
    // The system's authorities are those of OpenSSL; SSL_CERT_FILE and SSL_CERT_DIR name others.
    [[nodiscard]] static context client(const client_options& options = {});
    [[nodiscard]] static context server(const server_options& options);

    context(context&& other) noexcept;
    context& operator=(context&& other) noexcept;
    ~context();

    // Gives sessions that begin from now on these settings, of a server's context; those that have begun,
    // with or without their handshake, keep theirs. Reads the files again, blocking. Throws what server()
    // does, and then nothing has changed. Tickets given out before stay good, unless it is about other
    // clients: another client_ca. Any thread may call it, while sessions begin in others.
    void reload(const server_options& options);

    [[nodiscard]] role side() const noexcept;
    // The SSL_CTX of sessions that begin now; reload() makes another one.
    [[nodiscard]] ssl_ctx_st* native() const noexcept;

private:
    friend class session;

    struct handle_free {
        void operator()(ssl_ctx_st* handle) const noexcept;
    };
    using handle_owner = std::unique_ptr<ssl_ctx_st, handle_free>;
    struct current;

    explicit context(handle_owner made);
    static handle_owner make_handle(role side);
    static handle_owner make_server(const server_options& options);
    // Another reference to what native() is.
    [[nodiscard]] handle_owner share() const noexcept;

    std::unique_ptr<current> current_;
};

}  // namespace leat::tls
