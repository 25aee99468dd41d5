// SPDX-License-Identifier: MIT
#include <leat/tls/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <leat/result.hpp>

namespace leat::tls {
namespace {

// A code is a failure, or an OpenSSL number above one of these.
constexpr int verify_base = 0x10000;
constexpr int reason_base = 0x20000;

std::string reason_text(int reason) {
    if (reason >= SSL_AD_REASON_OFFSET) {
        return std::string("the peer sent the alert: ") +
               SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
    }
    const char* text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
    return text != nullptr ? text : "TLS error " + std::to_string(reason);
}

std::string failure_text(failure kind) {
    switch (kind) {
        case failure::certificate:
            return "the peer's certificate was refused";
        case failure::alert:
            return "the peer sent a fatal alert";
        case failure::protocol:
            return "TLS protocol error";
        case failure::truncated:
            return "the connection ended without close_notify: the data may be truncated";
        case failure::configuration:
            return "TLS configuration error";
    }
    return "TLS error";
}

class category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "tls"; }

    [[nodiscard]] std::string message(int value) const override {
        if (value >= reason_base) {
            return reason_text(value - reason_base);
        }
        if (value >= verify_base) {
            return std::string("certificate verify failed: ") +
                   X509_verify_cert_error_string(value - verify_base);
        }
        return failure_text(static_cast<failure>(value));
    }

    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        if (value >= reason_base + SSL_AD_REASON_OFFSET) {
            return make_error_condition(failure::alert);
        }
        if (value >= reason_base) {
            return make_error_condition(failure::protocol);
        }
        if (value >= verify_base) {
            return make_error_condition(failure::certificate);
        }
        return {value, *this};
    }
};

}  // namespace

const std::error_category& error_category() noexcept {
    static const category instance;
    return instance;
}

std::error_code make_error_code(failure kind) noexcept {
    return {static_cast<int>(kind), error_category()};
}

std::error_condition make_error_condition(failure kind) noexcept {
    return {static_cast<int>(kind), error_category()};
}

std::error_code verify_error_code(int verify_error) noexcept {
    return {verify_base + verify_error, error_category()};
}

std::error_code reason_error_code(int ssl_reason) noexcept {
    return {reason_base + ssl_reason, error_category()};
}

error::error(std::error_code code, const std::string& text) : std::system_error(code), text_(text) {}

described_error take_queued_error(failure otherwise) {
    const unsigned long first = ERR_peek_error();
    described_error described;
    if (first == 0) {
        described = {make_error_code(otherwise), failure_text(otherwise)};
    } else if (ERR_SYSTEM_ERROR(first)) {
        described.code = errno_code(static_cast<int>(ERR_GET_REASON(first)));
        described.text = described.code.message();
    } else if (ERR_GET_LIB(first) == ERR_LIB_SSL) {
        described.code = reason_error_code(ERR_GET_REASON(first));
        described.text = described.code.message();
    } else {
        const char* text = ERR_reason_error_string(first);
        described = {make_error_code(otherwise), text != nullptr ? text : failure_text(otherwise)};
    }
    ERR_clear_error();
    return described;
}

std::string printable(std::string_view text, std::size_t size_max) {
    std::string clean;
    for (const char each : text.substr(0, size_max)) {
        const bool plain = each >= 0x20 && each < 0x7f;
        clean += plain ? each : '?';
    }
    if (text.size() > size_max) {
        clean += "...";
    }
    return clean;
}

}  // namespace leat::tls
