// SPDX-License-Identifier: MIT
// secure_transport: makes the TLS streams of the HTTP client, from a tls::context; in a build without TLS it
// refuses. No other part of the client depends on whether the library was built with TLS. Internal.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>
#include <leat/http/tls_info.hpp>
#include <leat/tcp.hpp>
#include <leat/unix.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::http::detail {

// As in client_options.
struct trust {
    std::string_view ca_file = {};
    bool insecure = false;
    std::string_view certificate_file = {};
    std::string_view key_file = {};
    std::string_view key_log_file = {};

    // Whether files are to be read, or found missing, when the client is made.
    [[nodiscard]] bool names_files() const noexcept {
        return !ca_file.empty() || !certificate_file.empty() || !key_file.empty() || !key_log_file.empty();
    }
};

// A stream of TLS, and what its server has chosen by ALPN.
struct secured_stream {
    secured_stream(any_stream made, bool is_http2) noexcept : stream(std::move(made)), http2(is_http2) {}
    any_stream stream;
    bool http2;
};

class secure_transport {
public:
    // Reads the files at once, if there are some. Throws tls::error naming the one that cannot be used.
    explicit secure_transport(const trust& whom);
    secure_transport(secure_transport&&) noexcept;
    secure_transport& operator=(secure_transport&&) noexcept;
    ~secure_transport();

    // Shakes hands over `below`, expecting a certificate for `host`. Beside HTTP/1.1 it offers HTTP/2, if
    // told to. Throws errors that name the host.
    [[nodiscard]] task<secured_stream> over(tcp_stream below, std::string host, duration limit,
                                            bool offers_http2);
    [[nodiscard]] task<secured_stream> over(unix_stream below, std::string host, duration limit,
                                            bool offers_http2);

private:
    struct state;
    std::unique_ptr<state> state_;
};

// What TLS has agreed on, if that is a stream of it, behind its handshake.
[[nodiscard]] std::optional<tls_info> tls_info_of(any_stream& stream);

// Whether `code` says that a TLS connection ended without the close_notify that protects against truncation.
[[nodiscard]] bool ended_without_notice(const std::error_code& code) noexcept;

}  // namespace leat::http::detail
