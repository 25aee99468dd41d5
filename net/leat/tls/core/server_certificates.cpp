// SPDX-License-Identifier: MIT
#include <leat/tls/core/server_certificates.hpp>

#include <leat/tls/core/certificate_names.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace leat::tls::detail {
namespace {

constexpr std::size_t server_name_max = 255;  // RFC 6066, 3, and OpenSSL takes no longer one

constexpr char lower(char each) noexcept {
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

std::string lowered(std::string name) {
    std::ranges::transform(name, name.begin(), lower);
    return name;
}

// "b.example" of "a.b.example": what a wildcard has after its "*.".
std::string_view above(std::string_view host) noexcept {
    const std::size_t dot = host.find('.');
    return dot == std::string_view::npos ? std::string_view() : host.substr(dot + 1);
}

std::string_view asked_by(const ssl_st* ssl) noexcept {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : std::string_view();
}

}  // namespace

server_certificates::server_certificates(const server_options& options)
    : refuse_unknown_names_(options.refuse_unknown_names) {
    if (!options.certificate.given()) {
        throw error(make_error_code(failure::configuration), "a TLS server needs a certificate and its key");
    }
    all_.reserve(1 + options.more.size());  // their addresses are kept
    const auto read = [this](const certified_key& given) {
        shown& each = all_.emplace_back(shown{key_pair(given.certificate, given.key), std::nullopt});
        if (given.ocsp.given()) {
            each.ocsp.emplace(given.ocsp, each.pair.certificate());
        }
    };
    read({options.certificate, options.key, options.ocsp});
    std::ranges::for_each(options.more, read);
    for (const shown& each : all_) {
        add(each);
    }
    merge_wildcards();
    add(first_, all_.front());
    const auto names = certificate_hosts(all_.front().pair.certificate());
    if (!names.empty()) {
        std::ranges::for_each(by_host_.at(lowered(names.front())),
                              [this](const shown* each) { add(first_, *each); });
    }
}

void server_certificates::add(group& to, const shown& each) {
    const bool has_kind =
        std::ranges::any_of(to, [&](const shown* other) { return other->pair.kind() == each.pair.kind(); });
    if (!has_kind) {
        to.push_back(&each);
    }
}

void server_certificates::add(const shown& each) {
    for (std::string& name : certificate_hosts(each.pair.certificate())) {
        add(by_host_[lowered(std::move(name))], each);
    }
}

// Of a name of its own and a wildcard that fits, a client may need the kind of key that only the second has.
void server_certificates::merge_wildcards() {
    for (auto& [name, own] : by_host_) {
        const auto wildcard = by_host_.find("*." + std::string(above(name)));
        if (wildcard != by_host_.end() && wildcard->first != name) {
            std::ranges::for_each(wildcard->second, [&own](const shown* each) { add(own, *each); });
        }
    }
}

const server_certificates::group* server_certificates::find(std::string_view host) const noexcept {
    std::array<char, server_name_max> buffer;
    if (host.empty() || host.size() > buffer.size()) {
        return nullptr;
    }
    std::ranges::transform(host, buffer.begin(), lower);
    const std::string_view name(buffer.data(), host.size());
    auto found = by_host_.find(name);
    if (found == by_host_.end() && name.find('.') > 0 && name.find('.') != std::string_view::npos) {
        const std::size_t dot = name.find('.');
        buffer.at(dot - 1) = '*';
        found = by_host_.find(name.substr(dot - 1));
    }
    return found == by_host_.end() ? nullptr : &found->second;
}

const server_certificates::group& server_certificates::of(const ssl_st* ssl) const noexcept {
    const group* const found = find(asked_by(ssl));
    return found != nullptr ? *found : first_;
}

void server_certificates::show_on(ssl_ctx_st* handle) const {
    auto* const self = const_cast<server_certificates*>(this);
    for (const shown* each : first_) {
        each->pair.show_on(handle);
    }
    for (const shown& each : all_) {  // the others meet OpenSSL in a handshake only
        each.pair.require_showable(handle);
    }
    SSL_CTX_set_tlsext_servername_callback(handle, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(handle, self);
    if (all_.size() > 1) {
        SSL_CTX_set_cert_cb(handle, on_certificate, self);
    }
    if (std::ranges::any_of(all_, [](const shown& each) { return each.ocsp.has_value(); })) {
        SSL_CTX_set_tlsext_status_cb(handle, on_ocsp_request);
        SSL_CTX_set_tlsext_status_arg(handle, self);
    }
}

int server_certificates::on_server_name(ssl_st* ssl, int* alert, void* self) noexcept {
    const auto& certificates = *static_cast<const server_certificates*>(self);
    const std::string_view name = asked_by(ssl);
    if (name.empty()) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    if (certificates.refuse_unknown_names_ && certificates.find(name) == nullptr) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

// Not called when a session is resumed, which shows no certificate.
int server_certificates::on_certificate(ssl_st* ssl, void* self) noexcept {
    const auto& certificates = *static_cast<const server_certificates*>(self);
    const group& chosen = certificates.of(ssl);
    if (&chosen == &certificates.first_) {
        return 1;  // it has them from its context
    }
    SSL_certs_clear(ssl);
    return std::ranges::all_of(chosen, [ssl](const shown* each) { return each->pair.show_on(ssl); }) ? 1 : 0;
}

int server_certificates::on_ocsp_request(ssl_st* ssl, void* self) noexcept {
    const X509* const sent = SSL_get_certificate(ssl);
    for (const shown* each : static_cast<const server_certificates*>(self)->of(ssl)) {
        if (each->pair.certificate() == sent && each->ocsp.has_value() && each->ocsp->is_current() &&
            each->ocsp->send_with(ssl)) {
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace leat::tls::detail
