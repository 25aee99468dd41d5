// SPDX-License-Identifier: MIT
#include <leat/tls/core/peer_check.hpp>

#include <leat/core/wall_clock.hpp>
#include <leat/io.hpp>
#include <leat/tls/core/certificate_names.hpp>
#include <leat/tls/core/context_settings.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>

namespace leat::tls::detail {
namespace {

constexpr std::size_t host_size_max = 253;  // RFC 1035, 2.3.4

bool is_address(const std::string& host) {
    if (host.find('\0') != std::string::npos) {
        return false;
    }
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// A name whose labels are none of them empty (RFC 1035, 2.3.1). Whether it can be resolved is for others.
bool may_be_name(std::string_view host) {
    const auto fits = [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
               each == '-' || each == '.' || each == '_';
    };
    return !host.empty() && host.size() <= host_size_max && host.front() != '.' && host.back() != '.' &&
           host.find("..") == std::string_view::npos && std::ranges::all_of(host, fits);
}

// Of an IPv6 address: its text without brackets and without the zone of a local one.
std::string_view bare_address(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    return host.substr(0, host.find('%'));
}

bool has_system_authorities() {
    const char* file = std::getenv(X509_get_default_cert_file_env());
    const char* folder = std::getenv(X509_get_default_cert_dir_env());
    if (access(file != nullptr ? file : X509_get_default_cert_file(), R_OK) == 0) {
        return true;
    }
    DIR* const opened = opendir(folder != nullptr ? folder : X509_get_default_cert_dir());
    bool found = false;
    while (opened != nullptr && !found) {
        const dirent* entry = readdir(opened);
        if (entry == nullptr) {
            break;
        }
        found = entry->d_name[0] != '.';
    }
    if (opened != nullptr) {
        closedir(opened);
    }
    return found;
}

}  // namespace

std::string expected_host(std::string_view host) {
    if (host.find(':') != std::string_view::npos) {
        std::string address(bare_address(host));
        if (is_address(address)) {
            return address;
        }
    } else {
        const bool full = host.size() > 1 && host.back() == '.';
        std::string name(full ? host.substr(0, host.size() - 1) : host);
        if (may_be_name(name) && !(full && is_address(name))) {
            return name;
        }
    }
    throw error(make_error_code(failure::configuration),
                "not a host name or address: \"" + printable(host) + "\"");
}

peer_check::peer_check(ssl_st* ssl, std::string_view host)
    : host_(host.empty() ? std::string() : expected_host(host)),
      system_authorities_(settings_of(SSL_get_SSL_CTX(ssl)).system_authorities) {
    SSL_set_app_data(ssl, this);
    if (leat::detail::in_simulation()) {
        X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl),
                                   std::chrono::system_clock::to_time_t(leat::detail::wall_clock()));
    }
    if (host_.empty()) {
        return;
    }
    X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(
        expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool set = is_address(host_)
                         ? X509_VERIFY_PARAM_set1_ip_asc(expected, host_.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_host(expected, host_.data(), host_.size()) == 1 &&
                               SSL_set_tlsext_host_name(ssl, host_.c_str()) == 1;
    if (!set) {
        ERR_clear_error();
        throw std::bad_alloc();
    }
}

const peer_check& peer_check::of(const ssl_st* ssl) noexcept {
    return *static_cast<const peer_check*>(SSL_get_app_data(ssl));
}

int peer_check::on_verify(int accepted, x509_store_ctx_st* chain) noexcept {
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* const self = static_cast<peer_check*>(SSL_get_app_data(ssl));
    if (accepted == 1 || self->verify_error_ != 0) {
        return accepted;
    }
    self->verify_error_ = X509_STORE_CTX_get_error(chain);
    try {
        if (const X509* own = X509_STORE_CTX_get0_cert(chain)) {
            self->certificate_names_ = certificate_names(own);
        }
        const X509* refused = X509_STORE_CTX_get_current_cert(chain);
        if (refused != nullptr && X509_STORE_CTX_get_error_depth(chain) > 0) {
            self->refused_subject_ = certificate_subject(refused);
        }
    } catch (const std::exception&) {
        return accepted;  // no memory for a better text; OpenSSL's frames cannot be unwound
    }
    return accepted;
}

described_error peer_check::refusal() const {
    described_error described{verify_error_code(verify_error_), {}};
    described.text = described.code.message();
    switch (verify_error_) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            described.text += ": the certificate is for " +
                              (certificate_names_.empty() ? "no host" : certificate_names_) + ", not for " +
                              host_;
            break;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            if (system_authorities_ && !has_system_authorities()) {
                described.text += " (the system has no CA certificates: see the package ca-certificates)";
            }
            break;
        default:
            break;
    }
    if (!refused_subject_.empty()) {
        described.text += " (" + refused_subject_ + ")";
    }
    return described;
}

}  // namespace leat::tls::detail
