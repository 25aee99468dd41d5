// SPDX-License-Identifier: MIT
// The settings of a context beyond OpenSSL's SSL_CTX. The SSL_CTX owns them, so they live while any session
// of that context does. Used by context.cpp, session.cpp and the callbacks of core/ only.
#pragma once

#include <leat/tls/context.hpp>
#include <leat/tls/core/key_log.hpp>
#include <leat/tls/core/server_certificates.hpp>
#include <leat/tls/core/ticket_cache.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leat::tls::detail {

struct context_settings {
    role side = role::client;
    bool insecure = false;
    bool resume = false;
    bool release_buffers = true;
    bool system_authorities = false;
    std::string alpn;  // as TLS encodes it: each protocol after its length
    ticket_cache tickets;
    std::optional<server_certificates> certificates;  // a server's
    std::optional<key_log> secrets;
};

// "h2,http/1.1" as the extension has it (RFC 7301): each name after a byte with its length. Throws
// tls::error.
[[nodiscard]] std::string alpn_to_wire(std::string_view names);

[[nodiscard]] context_settings& settings_of(const ssl_ctx_st* handle) noexcept;

}  // namespace leat::tls::detail
