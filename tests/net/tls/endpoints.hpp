// SPDX-License-Identifier: MIT
// Two TLS sessions joined in memory, for the tests of this folder. What one sends waits in the other's inbox
// and is fed in pieces of a chosen size.
#pragma once

#include <leat/testing/certificates.hpp>
#include <leat/tls/session.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pattern.hpp"

namespace leat::tls {

struct endpoint {
    session tls;
    std::vector<std::byte> inbox = {};
    std::vector<std::byte> fed = {};
    std::size_t piece = std::numeric_limits<std::size_t>::max();

    explicit endpoint(const context& shared, std::string_view host = {}) : tls(shared, host) {}

    void send_output_to(std::vector<std::byte>& destination) {
        while (!tls.output().empty()) {
            const auto bytes = tls.output();
            destination.insert(destination.end(), bytes.begin(), bytes.end());
            tls.consume(bytes.size());
        }
    }

    // Feeds the next piece of the inbox; false when there is none.
    bool feed_piece() {
        const std::size_t size = std::min(piece, inbox.size());
        fed.assign(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(size));
        inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(size));
        tls.feed(fed);
        return size > 0;
    }

    // Takes `action`, a step, again and again until it is done, closed or failed, or the inbox is empty.
    template <typename Action>
    step take(endpoint& other, Action action) {
        while (true) {
            const step result = action();
            send_output_to(other.inbox);
            if (result.what == step::kind::has_output) {
                continue;
            }
            if (result.what != step::kind::needs_input || !feed_piece()) {
                return result;
            }
        }
    }

    step handshake(endpoint& other) {
        return take(other, [&] { return tls.handshake(); });
    }

    // Writes all of `text`, sending as it goes.
    step write(endpoint& other, std::string_view text) {
        step result;
        while (!text.empty()) {
            result = take(other, [&] { return tls.write(std::as_bytes(std::span(text))); });
            if (!result.done()) {
                return result;
            }
            text.remove_prefix(result.bytes);
        }
        return result;
    }

    // Reads until the inbox is used up, the end, or a failure; that step goes into `last`.
    std::string read(endpoint& other, step* last = nullptr) {
        std::string text;
        std::vector<std::byte> buffer(5000);
        while (true) {
            const step result = take(other, [&] { return tls.read(buffer); });
            if (!result.done()) {
                if (last != nullptr) {
                    *last = result;
                }
                return text;
            }
            text.append(reinterpret_cast<const char*>(buffer.data()), result.bytes);
        }
    }
};

struct handshake_results {
    step client;
    step server;
    [[nodiscard]] bool done() const noexcept { return client.done() && server.done(); }
};

// Both handshakes, in turn, until neither can go on.
inline handshake_results shake_hands(endpoint& client, endpoint& server) {
    handshake_results results;
    do {
        results.client = client.handshake(server);
        results.server = server.handshake(client);
    } while (!client.inbox.empty() && !client.tls.established() && results.client.what != step::kind::failed);
    results.client = client.handshake(server);
    results.server = server.handshake(client);
    return results;
}

inline context server_context(const testing::certificate& shown, std::string_view alpn = {}) {
    return context::server(
        {.certificate = pem::text(shown.chain), .key = pem::text(shown.key), .alpn = alpn});
}

inline context client_context(const testing::certificate_authority& trusted, std::string_view alpn = {}) {
    const std::string text = trusted.certificate_text();
    return context::client({.ca = pem::text(text), .alpn = alpn});
}

// What most tests need: a client that trusts the server, and the server, "a.example".
struct pair {
    testing::certificate_authority authority;
    context client_side = client_context(authority);
    context server_side = server_context(authority.issue({"a.example"}));
    endpoint client{client_side, "a.example"};
    endpoint server{server_side};

    [[nodiscard]] bool connect() { return shake_hands(client, server).done(); }
};

}  // namespace leat::tls
