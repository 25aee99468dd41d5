// SPDX-License-Identifier: MIT
#include <leat/tls/core/key_pair.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <new>
#include <utility>

namespace leat::tls::detail {
namespace {

[[noreturn]] void fail_queued(const std::string& what) {
    const described_error cause = take_queued_error(failure::configuration);
    throw error(make_error_code(failure::configuration), what + ": " + cause.text);
}

struct session_free {
    void operator()(SSL* old) const noexcept { SSL_free(old); }
};

}  // namespace

void key_pair::chain_free::operator()(stack_st_X509* old) const noexcept {
    sk_X509_pop_free(old, X509_free);
}

key_pair::key_pair(const pem& certificate, const pem& key)
    : name_(name_of(certificate, "certificate")), chain_(sk_X509_new_null()) {
    if (!certificate.given() || !key.given()) {
        throw error(make_error_code(failure::configuration),
                    "a certificate and its key are given together, or neither");
    }
    std::vector<certificate_owner> found = read_certificates(certificate, "certificate");
    key_ = read_key(key);
    leaf_ = std::move(found.front());
    for (std::size_t next = 1; next < found.size(); ++next) {
        if (chain_ == nullptr || sk_X509_push(chain_.get(), found[next].get()) <= 0) {
            throw std::bad_alloc();
        }
        (void)found[next].release();
    }
    if (X509_check_private_key(leaf_.get(), key_.get()) != 1) {
        fail_queued(name_of(key, "key") + " does not belong to " + name_);
    }
}

int key_pair::kind() const noexcept {
    return EVP_PKEY_get_base_id(key_.get());
}

void key_pair::show_on(ssl_ctx_st* handle) const {
    if (SSL_CTX_use_cert_and_key(handle, leaf_.get(), key_.get(), chain_.get(), 0) != 1) {
        fail_queued(name_ + " cannot be used");
    }
}

bool key_pair::show_on(ssl_st* ssl) const noexcept {
    return SSL_use_cert_and_key(ssl, leaf_.get(), key_.get(), chain_.get(), 0) == 1;
}

void key_pair::require_showable(ssl_ctx_st* handle) const {
    const std::unique_ptr<SSL, session_free> trial(SSL_new(handle));
    if (trial == nullptr) {
        throw std::bad_alloc();
    }
    SSL_certs_clear(trial.get());
    if (!show_on(trial.get())) {
        fail_queued(name_ + " cannot be used");
    }
}

}  // namespace leat::tls::detail
