// SPDX-License-Identifier: MIT
#include <leat/testing/certificates.hpp>

#include <leat/backends/simulated/simulation.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace leat::testing {
namespace {

struct openssl_free {
    void operator()(EVP_PKEY* old) const noexcept { EVP_PKEY_free(old); }
    void operator()(X509* old) const noexcept { X509_free(old); }
    void operator()(X509_EXTENSION* old) const noexcept { X509_EXTENSION_free(old); }
    void operator()(BIO* old) const noexcept { BIO_free(old); }
    void operator()(ASN1_TIME* old) const noexcept { ASN1_TIME_free(old); }
    void operator()(OCSP_BASICRESP* old) const noexcept { OCSP_BASICRESP_free(old); }
    void operator()(OCSP_CERTID* old) const noexcept { OCSP_CERTID_free(old); }
    void operator()(OCSP_RESPONSE* old) const noexcept { OCSP_RESPONSE_free(old); }
};
template <typename Object>
using owner = std::unique_ptr<Object, openssl_free>;

void require(bool worked, const char* what) {
    if (!worked) {
        throw std::runtime_error(std::string("cannot make a certificate: ") + what);
    }
}

owner<EVP_PKEY> new_key(key_kind kind) {
    owner<EVP_PKEY> key;
    switch (kind) {
        case key_kind::ec:
            key.reset(EVP_EC_gen("P-256"));
            break;
        case key_kind::ed25519:
            key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
            break;
        case key_kind::rsa:
            key.reset(EVP_RSA_gen(2048));
            break;
    }
    require(key != nullptr, "no key");
    return key;
}

std::string text_of(const BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(const_cast<BIO*>(bio), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

std::string certificate_pem(const X509* certificate) {
    const owner<BIO> bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), const_cast<X509*>(certificate)) == 1, "not written");
    return text_of(bio.get());
}

std::string key_pem(const EVP_PKEY* key) {
    const owner<BIO> bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), const_cast<EVP_PKEY*>(key), nullptr, nullptr, 0, nullptr,
                                     nullptr) == 1,
            "key not written");
    return text_of(bio.get());
}

// "DNS:localhost,IP:127.0.0.1"
std::string alternative_names(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        unsigned char bytes[16];
        const bool address =
            inet_pton(AF_INET, name.c_str(), bytes) == 1 || inet_pton(AF_INET6, name.c_str(), bytes) == 1;
        list += (list.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
    }
    return list;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const owner<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

// A certificate for `key` with a fresh number and neither extensions nor signature.
owner<X509> blank(EVP_PKEY* key, std::string_view common_name, std::chrono::seconds not_before,
                  std::chrono::seconds not_after) {
    owner<X509> made(X509_new());
    require(made != nullptr, "no memory");
    unsigned char number[16];
    require(RAND_bytes(number, sizeof(number)) == 1, "no random numbers");
    number[0] &= 0x7f;  // numbers are positive (RFC 5280, 4.1.2.2)
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(BN_bin2bn(number, sizeof(number), nullptr),
                                                             BN_free);
    BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(made.get()));
    X509_set_version(made.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), static_cast<long>(not_before.count()));
    X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(not_after.count()));
    X509_NAME* const subject = X509_get_subject_name(made.get());
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(common_name.data()),
                                       static_cast<int>(common_name.size()), -1, 0) == 1,
            "common name");
    require(X509_set_pubkey(made.get(), key) == 1, "public key");
    return made;
}

// Null for a kind of key that hashes what it signs itself.
const EVP_MD* hash_for(const EVP_PKEY* key) {
    return EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
}

void sign(X509* certificate, EVP_PKEY* key) {
    require(X509_sign(certificate, key, hash_for(key)) > 0, "not signed");
}

// Without an issuer it vouches for itself.
owner<X509> leaf(EVP_PKEY* key, const std::vector<std::string>& names, const certificate_options& options,
                 X509* issuer, EVP_PKEY* issuer_key) {
    std::string_view common_name = options.common_name;
    if (common_name.empty()) {
        common_name = names.empty() ? std::string_view("nobody") : std::string_view(names.front());
    }
    owner<X509> made = blank(key, common_name, options.not_before, options.not_after);
    X509* const by = issuer != nullptr ? issuer : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(by));
    extend(made.get(), by, NID_basic_constraints, "critical,CA:FALSE");
    extend(made.get(), by, NID_subject_key_identifier, "hash");
    extend(made.get(), by, NID_ext_key_usage, "serverAuth,clientAuth");
    if (!names.empty()) {
        extend(made.get(), by, NID_subject_alt_name, alternative_names(names));
    }
    sign(made.get(), issuer_key);
    return made;
}

// From now until the clock of a simulation begins, which may have been long ago.
std::chrono::seconds until_simulations() {
    const auto now = std::chrono::system_clock::now();
    return std::chrono::duration_cast<std::chrono::seconds>(simulation_options().wall_start - now);
}

}  // namespace

std::chrono::seconds detail::usual_beginning(std::chrono::seconds before) {
    return std::min<std::chrono::seconds>(-before, until_simulations() - std::chrono::hours(24));
}

std::chrono::seconds detail::usual_end(std::chrono::seconds after) {
    return std::max<std::chrono::seconds>(after, until_simulations() + std::chrono::hours(24 * 365));
}

struct certificate_authority::state {
    owner<EVP_PKEY> key;
    owner<X509> own;
    std::string chain;  // own and those above it, without the root

    state(std::string_view name, key_kind kind, X509* issuer, EVP_PKEY* issuer_key)
        : key(new_key(kind)),
          own(blank(key.get(), name, detail::usual_beginning(std::chrono::hours(24)),
                    detail::usual_end(std::chrono::hours(24 * 3650)))) {
        X509* const by = issuer != nullptr ? issuer : own.get();
        X509_set_issuer_name(own.get(), X509_get_subject_name(by));
        extend(own.get(), by, NID_basic_constraints, "critical,CA:TRUE");
        extend(own.get(), by, NID_key_usage, "critical,keyCertSign,cRLSign");
        extend(own.get(), by, NID_subject_key_identifier, "hash");
        sign(own.get(), issuer_key != nullptr ? issuer_key : key.get());
    }
};

certificate_authority::certificate_authority(std::string_view name, key_kind key)
    : state_(std::make_unique<state>(name, key, nullptr, nullptr)) {}

certificate_authority::certificate_authority(std::unique_ptr<state> made) noexcept
    : state_(std::move(made)) {}
certificate_authority::certificate_authority(certificate_authority&&) noexcept = default;
certificate_authority& certificate_authority::operator=(certificate_authority&&) noexcept = default;
certificate_authority::~certificate_authority() = default;

std::string certificate_authority::certificate_text() const {
    return certificate_pem(state_->own.get());
}

certificate certificate_authority::issue(const std::vector<std::string>& names,
                                         const certificate_options& options) const {
    const owner<EVP_PKEY> key = new_key(options.key);
    const owner<X509> made = leaf(key.get(), names, options, state_->own.get(), state_->key.get());
    return {certificate_pem(made.get()) + state_->chain, key_pem(key.get())};
}

std::string certificate_authority::ocsp_response(const certificate& about,
                                                 const ocsp_options& options) const {
    const owner<BIO> text(BIO_new_mem_buf(about.chain.data(), static_cast<int>(about.chain.size())));
    const owner<X509> subject(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    require(subject != nullptr, "nothing to answer about");
    const owner<OCSP_CERTID> id(OCSP_cert_to_id(nullptr, subject.get(), state_->own.get()));
    const owner<OCSP_BASICRESP> answer(OCSP_BASICRESP_new());
    const auto from_now = [](std::chrono::seconds when) {
        return owner<ASN1_TIME>(X509_gmtime_adj(nullptr, static_cast<long>(when.count())));
    };
    const owner<ASN1_TIME> since = from_now(std::min(detail::usual_beginning(), options.next_update));
    const owner<ASN1_TIME> until = from_now(options.next_update);
    const owner<ASN1_TIME> end = options.revoked ? from_now(detail::usual_beginning()) : nullptr;
    const int status = options.revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
    require(answer != nullptr &&
                OCSP_basic_add1_status(answer.get(), id.get(), status, OCSP_REVOKED_STATUS_UNSPECIFIED,
                                       end.get(), since.get(), until.get()) != nullptr,
            "no answer");
    require(OCSP_basic_sign(answer.get(), state_->own.get(), state_->key.get(), hash_for(state_->key.get()),
                            nullptr, 0) == 1,
            "answer not signed");
    const owner<OCSP_RESPONSE> whole(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer.get()));
    unsigned char* bytes = nullptr;
    const int size = i2d_OCSP_RESPONSE(whole.get(), &bytes);
    require(size > 0, "answer not written");
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

certificate_authority certificate_authority::intermediate(std::string_view name) const {
    auto below = std::make_unique<state>(name, key_kind::ec, state_->own.get(), state_->key.get());
    below->chain = certificate_pem(below->own.get()) + state_->chain;
    return certificate_authority(std::move(below));
}

certificate self_signed(const std::vector<std::string>& names, const certificate_options& options) {
    const owner<EVP_PKEY> key = new_key(options.key);
    const owner<X509> made = leaf(key.get(), names, options, nullptr, key.get());
    return {certificate_pem(made.get()), key_pem(key.get())};
}

}  // namespace leat::testing
