// SPDX-License-Identifier: MIT
// The tickets with which a client resumes sessions: the newest of each host, for a bounded number of hosts.
// Used by context.cpp and session.cpp only. A ticket is used only for the host that it came from, so the
// check of the certificate still holds. It has a lock, because threads may share a context.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct ssl_session_st;

namespace leat::tls::detail {

struct ticket_free {
    void operator()(ssl_session_st* old) const noexcept;
};
using ticket = std::unique_ptr<ssl_session_st, ticket_free>;

class ticket_cache {
public:
    static constexpr std::size_t hosts_max = 512;
    static constexpr std::size_t tickets_per_host_max = 8;

    void put(std::string_view host, ticket fresh);
    // The newest ticket of `host` that has not expired, or null. TLS 1.3 tickets are given out once (RFC 8446
    // C.4).
    [[nodiscard]] ticket take(std::string_view host);

private:
    struct kept_ticket {
        ticket session;
        std::chrono::system_clock::time_point expiry;
    };

    std::mutex mutex_;
    std::unordered_map<std::string, std::vector<kept_ticket>> tickets_;
};

}  // namespace leat::tls::detail
