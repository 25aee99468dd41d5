// SPDX-License-Identifier: MIT
#include <leat/tls/core/ticket_cache.hpp>

#include <leat/core/wall_clock.hpp>

#include <openssl/ssl.h>

namespace leat::tls::detail {

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
    const std::chrono::seconds lifetime(SSL_SESSION_get_timeout(fresh.get()));
    of_host.push_back({std::move(fresh), leat::detail::wall_clock() + lifetime});
}

ticket ticket_cache::take(std::string_view host) {
    const std::lock_guard guard(mutex_);
    const auto found = tickets_.find(std::string(host));
    if (found == tickets_.end()) {
        return nullptr;
    }
    auto& of_host = found->second;
    while (!of_host.empty()) {
        kept_ticket newest = std::move(of_host.back());
        of_host.pop_back();
        ssl_session_st* const session = newest.session.get();
        if (SSL_SESSION_is_resumable(session) == 0 || newest.expiry <= leat::detail::wall_clock()) {
            continue;
        }
        if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(session);
            of_host.push_back({ticket(session), newest.expiry});
        }
        return std::move(newest.session);
    }
    tickets_.erase(found);
    return nullptr;
}

}  // namespace leat::tls::detail
