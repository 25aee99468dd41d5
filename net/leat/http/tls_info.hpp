// SPDX-License-Identifier: MIT
// tls_info: what TLS has agreed on with the server of an HTTP client's request, as text to be shown.
// response_stream and fetched have it where request_options::tell_tls asks for it; it is there in builds
// without TLS, too.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace leat::http {

struct tls_info {
    std::string version;  // "TLSv1.3"
    std::string cipher;   // "TLS_AES_256_GCM_SHA384"
    std::string alpn;     // "h2"; empty: none was agreed on
    // Of the server's certificate, safe to print: its owner and who vouches for it, as RFC 2253 writes names
    // ("CN=a.example,O=Example"), and the first few hosts that it is for ("a.example, *.b.example").
    std::string subject;
    std::string issuer;
    std::string names;
    std::optional<std::chrono::sys_seconds> expires;  // without: it is no date, or there is no certificate
    bool resumed = false;                             // by the ticket of an earlier connection
};

}  // namespace leat::http
