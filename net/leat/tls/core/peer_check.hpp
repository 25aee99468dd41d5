// SPDX-License-Identifier: MIT
// peer_check: whose certificate the peer of one session must show, and why it was refused. Used by
// context.cpp, session.cpp and connect.cpp only. Names are matched by OpenSSL against the certificate's
// alternative names alone (RFC 9525): a common name is no host name, a `*` is a whole first label and nothing
// else.
#pragma once

#include <leat/tls/error.hpp>

#include <string>
#include <string_view>

struct ssl_st;
struct x509_store_ctx_st;

namespace leat::tls::detail {

// `host` as certificates have it: a name without the last dot of a full one; an IP address without the
// brackets of a URL ("[::1]") and the zone of a local one. Throws tls::error for what cannot be either. A
// name in another script than ASCII is given in its xn-- form.
[[nodiscard]] std::string expected_host(std::string_view host);

class peer_check {
public:
    // Attaches itself to `ssl`, of which no step may be taken without it. A client's `host` is one that
    // expected_host() takes; a name is also told to the server (SNI), an address is not (RFC 6066, 3). An
    // empty one expects nobody in particular.
    peer_check(ssl_st* ssl, std::string_view host);
    peer_check(const peer_check&) = delete;
    peer_check& operator=(const peer_check&) = delete;

    [[nodiscard]] const std::string& host() const noexcept { return host_; }

    // Why the certificate was refused; only after the handshake failed for that.
    [[nodiscard]] described_error refusal() const;

    [[nodiscard]] static const peer_check& of(const ssl_st* ssl) noexcept;
    // OpenSSL's verify callback: remembers the first error, decides nothing.
    static int on_verify(int accepted, x509_store_ctx_st* chain) noexcept;

private:
    std::string host_;
    bool system_authorities_;
    int verify_error_ = 0;           // X509_V_ERR_*
    std::string refused_subject_;    // whose certificate it was that failed, somewhere in the chain
    std::string certificate_names_;  // whom the peer's own certificate is for
};

}  // namespace leat::tls::detail
