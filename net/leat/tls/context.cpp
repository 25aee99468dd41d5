// SPDX-License-Identifier: MIT
#include <leat/tls/context.hpp>

#include <leat/check.hpp>
#include <leat/tls/core/context_settings.hpp>
#include <leat/tls/core/peer_check.hpp>
#include <leat/tls/core/pem_reader.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <string>

namespace leat::tls {
namespace {

void free_settings(void* /*parent*/, void* settings, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
                   void* /*argp*/) {
    delete static_cast<detail::context_settings*>(settings);
}

int settings_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_settings);
    return index;
}

[[noreturn]] void fail(std::string_view what) {
    described_error cause = take_queued_error(failure::configuration);
    throw error(make_error_code(failure::configuration), std::string(what) + ": " + cause.text);
}

void require(bool worked, std::string_view what) {
    if (!worked) {
        fail(what);
    }
}

// "h2,http/1.1" as the extension has it (RFC 7301): each name after a byte with its length.
std::string alpn_to_wire(std::string_view names) {
    std::string wire;
    while (!names.empty()) {
        const std::size_t comma = names.find(',');
        const std::string_view name = names.substr(0, comma);
        names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
        if (name.empty() || name.size() > 255) {
            throw error(make_error_code(failure::configuration),
                        "ALPN protocol names have 1 to 255 bytes, not " + std::to_string(name.size()));
        }
        wire += static_cast<char>(name.size());
        wire += name;
    }
    return wire;
}

const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL asks a server which of the client's protocols to take.
int select_alpn(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                const unsigned char* offered, unsigned int offered_size, void* argument) {
    const std::string& ours = static_cast<detail::context_settings*>(argument)->alpn;
    unsigned char* match = nullptr;
    const int outcome = SSL_select_next_proto(&match, chosen_size, unsigned_bytes(ours),
                                              static_cast<unsigned>(ours.size()), offered, offered_size);
    *chosen = match;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// OpenSSL hands over what resumes the session. True: the reference is ours from now on.
int keep_ticket(SSL* ssl, SSL_SESSION* fresh) {
    detail::context_settings& settings = detail::settings_of(SSL_get_SSL_CTX(ssl));
    const bool verified = settings.insecure || SSL_get_verify_result(ssl) == X509_V_OK;
    if (!verified || SSL_SESSION_is_resumable(fresh) == 0) {
        return 0;
    }
    try {
        settings.tickets.put(detail::peer_check::of(ssl).host(), detail::ticket(fresh));
    } catch (const std::bad_alloc&) {
        return 1;  // it is gone already; OpenSSL's frames cannot be unwound
    }
    return 1;
}

void trust(SSL_CTX* handle, const pem& ca) {
    X509_STORE* const store = SSL_CTX_get_cert_store(handle);
    for (const detail::certificate_owner& each : detail::read_certificates(ca, "CA")) {
        require(X509_STORE_add_cert(store, each.get()) == 1, detail::name_of(ca, "CA") + " cannot be used");
        SSL_CTX_add_client_CA(handle, each.get());  // only a hint, for clients with several certificates
    }
}

void show(SSL_CTX* handle, const pem& certificate, const pem& key) {
    if (!certificate.given() && !key.given()) {
        return;
    }
    if (!certificate.given() || !key.given()) {
        throw error(make_error_code(failure::configuration),
                    "a certificate and its key are given together, or neither");
    }
    const std::vector<detail::certificate_owner> chain =
        detail::read_certificates(certificate, "certificate");
    const detail::key_owner private_key = detail::read_key(key);
    const std::string name = detail::name_of(certificate, "certificate");
    require(X509_check_private_key(chain.front().get(), private_key.get()) == 1,
            detail::name_of(key, "key") + " does not belong to " + name);
    require(SSL_CTX_use_certificate(handle, chain.front().get()) == 1, name + " cannot be used");
    for (std::size_t next = 1; next < chain.size(); ++next) {
        require(SSL_CTX_add1_chain_cert(handle, chain[next].get()) == 1, name + " cannot be used");
    }
    require(SSL_CTX_use_PrivateKey(handle, private_key.get()) == 1,
            detail::name_of(key, "key") + " cannot be used");
}

void speak(detail::context_settings& settings, SSL_CTX* handle, std::string_view alpn, bool release_buffers) {
    settings.alpn = alpn_to_wire(alpn);
    settings.release_buffers = release_buffers;
    if (release_buffers) {
        SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);
    }
}

}  // namespace

detail::context_settings& detail::settings_of(const ssl_ctx_st* handle) noexcept {
    return *static_cast<detail::context_settings*>(SSL_CTX_get_ex_data(handle, settings_index()));
}

void context::handle_free::operator()(ssl_ctx_st* handle) const noexcept {
    SSL_CTX_free(handle);
}

context::context(role side)
    : handle_(SSL_CTX_new(side == role::client ? TLS_client_method() : TLS_server_method())) {
    require(handle_ != nullptr, "cannot make a TLS context");
    SSL_CTX* const handle = handle_.get();
    auto settings = std::make_unique<detail::context_settings>();
    settings->side = side;
    require(SSL_CTX_set_ex_data(handle, settings_index(), settings.get()) == 1, "cannot make a TLS context");
    settings.release();
    require(SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION) == 1, "TLS 1.2 is not to be had");
    SSL_CTX_set_options(handle, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(handle, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Anchors are what the user says, be they roots or not.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(handle), X509_V_FLAG_PARTIAL_CHAIN);
}

context context::client(const client_options& options) {
    context made(role::client);
    SSL_CTX* const handle = made.native();
    detail::context_settings& settings = detail::settings_of(handle);
    speak(settings, handle, options.alpn, options.release_buffers);
    if (!settings.alpn.empty()) {
        require(SSL_CTX_set_alpn_protos(handle, unsigned_bytes(settings.alpn),
                                        static_cast<unsigned>(settings.alpn.size())) == 0,
                "cannot offer the ALPN protocols");
    }
    settings.insecure = options.insecure;
    if (options.ca.given()) {
        trust(handle, options.ca);
    } else if (!options.insecure) {
        settings.system_authorities = true;
        require(SSL_CTX_set_default_verify_paths(handle) == 1, "cannot use the system's certificates");
    }
    const int verify = options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    SSL_CTX_set_verify(handle, verify, detail::peer_check::on_verify);
    show(handle, options.certificate, options.key);
    settings.resume = options.resume;
    SSL_CTX_set_session_cache_mode(
        handle, options.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(handle, keep_ticket);
    return made;
}

context context::server(const server_options& options) {
    context made(role::server);
    SSL_CTX* const handle = made.native();
    detail::context_settings& settings = detail::settings_of(handle);
    speak(settings, handle, options.alpn, options.release_buffers);
    // Of TLS 1.2 what has forward secrecy and authenticated encryption (RFC 9325, 4.2); TLS 1.3 has nothing
    // else. A client of ours takes what OpenSSL does: servers are older.
    require(SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1, "no cipher of TLS 1.2");
    if (!settings.alpn.empty()) {
        SSL_CTX_set_alpn_select_cb(handle, select_alpn, &settings);
    }
    if (!options.certificate.given()) {
        throw error(make_error_code(failure::configuration), "a TLS server needs a certificate and its key");
    }
    show(handle, options.certificate, options.key);
    if (options.client_ca.given()) {
        trust(handle, options.client_ca);
        SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           detail::peer_check::on_verify);
    }
    // Tickets carry the sessions, so that nothing is kept here; with client certificates OpenSSL refuses to
    // resume without a context name.
    static constexpr unsigned char context_name[] = {'l', 'e', 'a', 't'};
    SSL_CTX_set_session_id_context(handle, context_name, sizeof(context_name));
    SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
    return made;
}

role context::side() const noexcept {
    return detail::settings_of(native()).side;
}

}  // namespace leat::tls
