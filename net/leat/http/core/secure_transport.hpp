// SPDX-License-Identifier: MIT
// secure_transport: makes the TLS streams of the HTTP client, from a tls::context; in a build without TLS it
// refuses. No other part of the client depends on whether the library was built with TLS. Internal.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>
#include <leat/tcp.hpp>
#include <leat/unix.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

struct trust {
    std::string_view ca_file = {};  // trust the authorities in this PEM file instead of the system's
    bool insecure = false;          // accept every certificate, of anyone
};

class secure_transport {
public:
    // Reads the file at once, if there is one. Throws tls::error naming it.
    explicit secure_transport(const trust& whom);
    secure_transport(secure_transport&&) noexcept;
    secure_transport& operator=(secure_transport&&) noexcept;
    ~secure_transport();

    // Shakes hands over `below`, expecting a certificate for `host`. Throws errors that name the host.
    [[nodiscard]] task<any_stream> over(tcp_stream below, std::string host, duration limit);
    [[nodiscard]] task<any_stream> over(unix_stream below, std::string host, duration limit);

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Whether `code` says that a TLS connection ended without the close_notify that protects against truncation.
[[nodiscard]] bool ended_without_notice(const std::error_code& code) noexcept;

}  // namespace leat::http::detail
