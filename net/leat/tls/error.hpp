// SPDX-License-Identifier: MIT
// What can go wrong in TLS, as std::error_code, std::error_condition and one clear line of text.
//
// A code is as exact as OpenSSL is: "certificate verify failed: certificate has expired". Programs compare
// it with one of the few failures: `if (error.code() == leat::tls::failure::certificate)`.
// What is known beyond the code (which host, which file) is in the text of `tls::error` only.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace leat::tls {

enum class failure {
    certificate = 1,  // the peer's certificate was refused: expired, unknown issuer, another host's, ...
    alert,            // the peer refused: it sent a fatal alert
    protocol,         // what arrived is not TLS, or not a TLS that we accept, or was tampered with
    truncated,        // the connection ended without close_notify: the data may be incomplete
    configuration,    // a certificate, key or option given to a context or a session cannot be used
};

[[nodiscard]] const std::error_category& error_category() noexcept;
[[nodiscard]] std::error_code make_error_code(failure kind) noexcept;
[[nodiscard]] std::error_condition make_error_condition(failure kind) noexcept;

// The codes behind OpenSSL's own numbers: X509_V_ERR_* and the reasons of its SSL library (SSL_R_*).
[[nodiscard]] std::error_code verify_error_code(int verify_error) noexcept;
[[nodiscard]] std::error_code reason_error_code(int ssl_reason) noexcept;

// Thrown by contexts, sessions and streams. what() is the text alone: one line.
class error : public std::system_error {
public:
    error(std::error_code code, const std::string& text);
    [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;  // a string that copies without throwing
};

struct described_error {
    std::error_code code;
    std::string text;
};

// Takes everything off this thread's OpenSSL error queue and describes its first entry, the cause of the
// others. An empty queue gives `otherwise`.
[[nodiscard]] described_error take_queued_error(failure otherwise);

// Printable ASCII of bounded length, for text that a peer chose.
[[nodiscard]] std::string printable(std::string_view text, std::size_t size_max = 100);

}  // namespace leat::tls

template <>
struct std::is_error_condition_enum<leat::tls::failure> : std::true_type {};
