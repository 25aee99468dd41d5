// SPDX-License-Identifier: MIT
#include <leat/tls/core/ocsp_response.hpp>

#include <leat/core/wall_clock.hpp>
#include <leat/tls/core/pem_reader.hpp>
#include <leat/tls/error.hpp>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include <cstring>
#include <ctime>
#include <memory>

namespace leat::tls::detail {
namespace {

struct openssl_free {
    void operator()(OCSP_RESPONSE* old) const noexcept { OCSP_RESPONSE_free(old); }
    void operator()(OCSP_BASICRESP* old) const noexcept { OCSP_BASICRESP_free(old); }
};

// The part about `certificate`, told by its number; null when there is none.
OCSP_SINGLERESP* part_about(OCSP_BASICRESP* answer, const X509* certificate) {
    const ASN1_INTEGER* const wanted = X509_get0_serialNumber(certificate);
    for (int at = 0; at < OCSP_resp_count(answer); ++at) {
        OCSP_SINGLERESP* const part = OCSP_resp_get0(answer, at);
        ASN1_INTEGER* number = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &number,
                          const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(part)));
        if (number != nullptr && ASN1_INTEGER_cmp(number, wanted) == 0) {
            return part;
        }
    }
    return nullptr;
}

}  // namespace

ocsp_response::ocsp_response(const der& source, const x509_st* certificate)
    : bytes_(read_bytes(source, "OCSP response")) {
    const auto refuse = [&](const char* why) {
        ERR_clear_error();
        throw error(make_error_code(failure::configuration),
                    name_of(source, "OCSP response") + " cannot be used: " + why);
    };
    const auto* begin = reinterpret_cast<const unsigned char*>(bytes_.data());
    const std::unique_ptr<OCSP_RESPONSE, openssl_free> read(
        d2i_OCSP_RESPONSE(nullptr, &begin, static_cast<long>(bytes_.size())));
    if (read == nullptr) {
        refuse("it is no OCSP response in DER form");
    }
    if (OCSP_response_status(read.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        refuse(OCSP_response_status_str(OCSP_response_status(read.get())));
    }
    const std::unique_ptr<OCSP_BASICRESP, openssl_free> answer(OCSP_response_get1_basic(read.get()));
    OCSP_SINGLERESP* const part = answer == nullptr ? nullptr : part_about(answer.get(), certificate);
    if (part == nullptr) {
        refuse("it is not about the certificate");
    }
    ASN1_GENERALIZEDTIME* next = nullptr;
    (void)OCSP_single_get0_status(part, nullptr, nullptr, nullptr, &next);
    std::tm when = {};
    if (next != nullptr && ASN1_TIME_to_tm(next, &when) == 1) {
        next_update_ = std::chrono::system_clock::from_time_t(timegm(&when));
    }
    ERR_clear_error();
}

bool ocsp_response::is_current() const noexcept {
    return leat::detail::wall_clock() < next_update_;
}

bool ocsp_response::send_with(ssl_st* ssl) const noexcept {
    void* const copy = OPENSSL_memdup(bytes_.data(), bytes_.size());  // which OpenSSL frees
    if (copy == nullptr) {
        return false;
    }
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(bytes_.size()));
    return true;
}

}  // namespace leat::tls::detail
