// SPDX-License-Identifier: MIT
// Reads certificates and keys in PEM form into OpenSSL's objects. Used by key_pair, ocsp_response and
// context. Every failure is a tls::error whose text names the file (or "the given text") and what is wrong
// with it.
#pragma once

#include <leat/tls/error.hpp>
#include <leat/tls/pem.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;
struct evp_pkey_st;

namespace leat::tls::detail {

struct certificate_free {
    void operator()(x509_st* old) const noexcept;
};
struct key_free {
    void operator()(evp_pkey_st* old) const noexcept;
};
using certificate_owner = std::unique_ptr<x509_st, certificate_free>;
using key_owner = std::unique_ptr<evp_pkey_st, key_free>;

// "the key in /etc/key.pem" or "the given key": how errors name it.
[[nodiscard]] std::string name_of(const given_bytes& source, std::string_view what);

// All the certificates in `source`, in order; at least one.
[[nodiscard]] std::vector<certificate_owner> read_certificates(const pem& source, std::string_view what);

// All the bytes of `source`.
[[nodiscard]] std::string read_bytes(const der& source, std::string_view what);

// The first private key in `source`. An encrypted one is an error: there is no question for a password.
[[nodiscard]] key_owner read_key(const pem& source);

}  // namespace leat::tls::detail
