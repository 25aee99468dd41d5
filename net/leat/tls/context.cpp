// SPDX-License-Identifier: MIT
#include <leat/tls/context.hpp>

#include <leat/check.hpp>
#include <leat/tls/core/context_settings.hpp>
#include <leat/tls/core/key_pair.hpp>
#include <leat/tls/core/peer_check.hpp>
#include <leat/tls/core/pem_reader.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <mutex>
#include <new>
#include <string>
#include <utility>

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

// What client_options and server_options have in common.
template <typename Options>
detail::context_settings& set_up(SSL_CTX* handle, const Options& options) {
    detail::context_settings& settings = detail::settings_of(handle);
    settings.alpn = detail::alpn_to_wire(options.alpn);
    settings.release_buffers = options.release_buffers;
    if (options.release_buffers) {
        SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);
    }
    if (!options.key_log_file.empty()) {
        settings.secrets.emplace(options.key_log_file);
        SSL_CTX_set_keylog_callback(handle, detail::key_log::on_line);
    }
    return settings;
}

// Tickets name it: those that were given under another one are not good, so that nobody resumes what would
// not be accepted now. (With client certificates OpenSSL refuses to resume without one.)
void name_clients(SSL_CTX* handle, const server_options& options) {
    std::string accepted = options.require_client_certificate ? "required" : "asked for";
    if (options.client_ca.given()) {
        for (const detail::certificate_owner& each : detail::read_certificates(options.client_ca, "CA")) {
            std::array<unsigned char, EVP_MAX_MD_SIZE> print = {};
            unsigned size = 0;
            require(X509_digest(each.get(), EVP_sha256(), print.data(), &size) == 1, "no SHA-256");
            accepted.append(reinterpret_cast<const char*>(print.data()), size);
        }
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> name = {};
    std::size_t size = 0;
    require(
        EVP_Q_digest(nullptr, "SHA256", nullptr, accepted.data(), accepted.size(), name.data(), &size) == 1,
        "no SHA-256");
    require(SSL_CTX_set_session_id_context(handle, name.data(), static_cast<unsigned>(size)) == 1, "no name");
}

// The keys that tickets are encrypted with.
void keep_ticket_keys(SSL_CTX* from, SSL_CTX* to) {
    std::array<unsigned char, 256> keys = {};
    const long size = SSL_CTX_get_tlsext_ticket_keys(from, nullptr, 0);
    require(size > 0 && size <= static_cast<long>(keys.size()) &&
                SSL_CTX_get_tlsext_ticket_keys(from, keys.data(), size) == 1 &&
                SSL_CTX_set_tlsext_ticket_keys(to, keys.data(), size) == 1,
            "the keys of the tickets cannot be kept");
    OPENSSL_cleanse(keys.data(), keys.size());
}

}  // namespace

std::string detail::alpn_to_wire(std::string_view names) {
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

detail::context_settings& detail::settings_of(const ssl_ctx_st* handle) noexcept {
    return *static_cast<detail::context_settings*>(SSL_CTX_get_ex_data(handle, settings_index()));
}

void context::handle_free::operator()(ssl_ctx_st* handle) const noexcept {
    SSL_CTX_free(handle);
}

// Sessions begin in several threads while one may reload.
struct context::current {
    explicit current(handle_owner made) noexcept : handle(std::move(made)) {}

    std::mutex guard;
    handle_owner handle;
};

context::context(handle_owner made) : current_(std::make_unique<current>(std::move(made))) {}
context::context(context&& other) noexcept = default;
context& context::operator=(context&& other) noexcept = default;
context::~context() = default;

context::handle_owner context::make_handle(role side) {
    handle_owner made(SSL_CTX_new(side == role::client ? TLS_client_method() : TLS_server_method()));
    require(made != nullptr, "cannot make a TLS context");
    SSL_CTX* const handle = made.get();
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
    return made;
}

context context::client(const client_options& options) {
    handle_owner made = make_handle(role::client);
    SSL_CTX* const handle = made.get();
    detail::context_settings& settings = set_up(handle, options);
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
    if (options.certificate.given() || options.key.given()) {
        detail::key_pair(options.certificate, options.key).show_on(handle);
    }
    if (options.ask_ocsp) {
        SSL_CTX_set_tlsext_status_type(handle, TLSEXT_STATUSTYPE_ocsp);
    }
    settings.resume = options.resume;
    SSL_CTX_set_session_cache_mode(
        handle, options.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(handle, keep_ticket);
    return context(std::move(made));
}

context::handle_owner context::make_server(const server_options& options) {
    handle_owner made = make_handle(role::server);
    SSL_CTX* const handle = made.get();
    detail::context_settings& settings = set_up(handle, options);
    // Of TLS 1.2 what has forward secrecy and authenticated encryption (RFC 9325, 4.2); TLS 1.3 has nothing
    // else. A client of ours takes what OpenSSL does: servers are older.
    require(SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1, "no cipher of TLS 1.2");
    if (!settings.alpn.empty()) {
        SSL_CTX_set_alpn_select_cb(handle, select_alpn, &settings);
    }
    settings.certificates.emplace(options);
    settings.certificates->show_on(handle);
    if (options.client_ca.given()) {
        trust(handle, options.client_ca);
        const int required = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
        SSL_CTX_set_verify(handle, SSL_VERIFY_PEER | required, detail::peer_check::on_verify);
    }
    name_clients(handle, options);
    // Tickets carry the sessions, so that nothing is kept here.
    SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
    return made;
}

context context::server(const server_options& options) {
    return context(make_server(options));
}

void context::reload(const server_options& options) {
    check(side() == role::server, "a TLS server's context is reloaded");
    handle_owner made = make_server(options);
    keep_ticket_keys(share().get(), made.get());
    const std::lock_guard guard(current_->guard);
    std::swap(current_->handle, made);
}

context::handle_owner context::share() const noexcept {
    const std::lock_guard guard(current_->guard);
    SSL_CTX_up_ref(current_->handle.get());
    return handle_owner(current_->handle.get());
}

ssl_ctx_st* context::native() const noexcept {
    const std::lock_guard guard(current_->guard);
    return current_->handle.get();
}

role context::side() const noexcept {
    return detail::settings_of(share().get()).side;
}

}  // namespace leat::tls
