// SPDX-License-Identifier: MIT
// key_pair: a certificate with its chain, and the private key that belongs to it, to be shown to a peer.
// Used by server_certificates and context.cpp. It does not change once it is made.
#pragma once

#include <leat/tls/core/pem_reader.hpp>

#include <string>

struct ssl_st;
struct ssl_ctx_st;
struct stack_st_X509;

namespace leat::tls::detail {

class key_pair {
public:
    // Throws tls::error that names the file.
    key_pair(const pem& certificate, const pem& key);

    [[nodiscard]] const x509_st* certificate() const noexcept { return leaf_.get(); }
    // Of the certificate, for errors.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // A session shows one of each kind at most: EVP_PKEY_EC, EVP_PKEY_RSA, ...
    [[nodiscard]] int kind() const noexcept;

    // Beside those of other kinds. Throws tls::error.
    void show_on(ssl_ctx_st* handle) const;
    // The same, of one session; false when it failed.
    [[nodiscard]] bool show_on(ssl_st* ssl) const noexcept;
    // Throws tls::error if no session of `handle` could show it.
    void require_showable(ssl_ctx_st* handle) const;

private:
    struct chain_free {
        void operator()(stack_st_X509* old) const noexcept;
    };

    std::string name_;
    certificate_owner leaf_;
    std::unique_ptr<stack_st_X509, chain_free> chain_;  // without the leaf
    key_owner key_;
};

}  // namespace leat::tls::detail
