// SPDX-License-Identifier: MIT
// What a certificate says about its owner, as text that is safe to print. Used by peer_check and session.
#pragma once

#include <string>

struct x509_st;

namespace leat::tls::detail {

// The host names and addresses that it is for: "a.example, *.b.example, 10.0.0.1", the first few of many.
[[nodiscard]] std::string certificate_names(const x509_st* certificate);

// Its subject as RFC 2253 writes it: "CN=a.example,O=Example".
[[nodiscard]] std::string certificate_subject(const x509_st* certificate);

}  // namespace leat::tls::detail
