// SPDX-License-Identifier: MIT
#include <leat/tls/ticket_cache.hpp>

#include <openssl/ssl.h>

#include <cstdint>
#include <ctime>

namespace leat::tls {

namespace {

std::int64_t expiry_of(const SSL_SESSION* session) noexcept {
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    return SSL_SESSION_get_time_ex(session) + SSL_SESSION_get_timeout(session);
#else
    return SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
#endif
}

}  // namespace

void ticket_free::operator()(ssl_session_st* old) const noexcept {
    SSL_SESSION_free(old);
}

void ticket_cache::put(std::string_view host, ticket fresh) {
    const std::lock_guard guard(mutex_);
    std::string name(host);
    if (!tickets_.contains(name) && tickets_.size() >= hosts_max) {
        tickets_.erase(tickets_.begin());  // any: what it costs is one full handshake
    }
    auto& of_host = tickets_[std::move(name)];
    if (of_host.size() >= tickets_per_host_max) {
        of_host.erase(of_host.begin());
    }
    of_host.push_back(std::move(fresh));
}

ticket ticket_cache::take(std::string_view host) {
    const std::lock_guard guard(mutex_);
    const auto found = tickets_.find(std::string(host));
    if (found == tickets_.end()) {
        return nullptr;
    }
    auto& of_host = found->second;
    while (!of_host.empty()) {
        ticket newest = std::move(of_host.back());
        of_host.pop_back();
        if (SSL_SESSION_is_resumable(newest.get()) == 0 || expiry_of(newest.get()) <= std::time(nullptr)) {
            continue;
        }
        if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(newest.get());
            of_host.emplace_back(newest.get());
        }
        return newest;
    }
    tickets_.erase(found);
    return nullptr;
}

}  // namespace leat::tls
