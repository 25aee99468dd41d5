// SPDX-License-Identifier: MIT
// What a certificate says about its owner. Used by peer_check, session and server_certificates.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

struct x509_st;

namespace leat::tls::detail {

// The host names and addresses that it is for, as they stand there: "a.example", "*.b.example", "10.0.0.1".
[[nodiscard]] std::vector<std::string> certificate_hosts(const x509_st* certificate);

// The same as text that is safe to print: "a.example, *.b.example, 10.0.0.1", the first few of many.
[[nodiscard]] std::string certificate_names(const x509_st* certificate);

// Its subject as RFC 2253 writes it, safe to print: "CN=a.example,O=Example".
[[nodiscard]] std::string certificate_subject(const x509_st* certificate);
// Who has signed it, the same way.
[[nodiscard]] std::string certificate_issuer(const x509_st* certificate);
// The last moment at which it is valid; nothing for what is no date.
[[nodiscard]] std::optional<std::chrono::sys_seconds> certificate_end(const x509_st* certificate);

}  // namespace leat::tls::detail
