// SPDX-License-Identifier: MIT
// forwarded, x_forwarded: who has sent a request, and how, when it came through proxies that say so in fields
// of the request: Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host.
//
//   const leat::http::trusted_proxies ours{.networks = {leat::network::parse("10.0.0.0/8")}};
//   const auto from = leat::http::x_forwarded(asked, ours);   // from.client, from.scheme, from.host
//
// Which of the two is for the program to know: clients can send these fields, too, so only one that each
// proxy of its own sets, or adds to, says anything. There is no telling from the request.
//
// Each proxy adds, at the right, whom it has the request from. So the fields are read from there, as long as
// who has added is trusted; what a client has written further left never counts.
#pragma once

#include <leat/endpoint.hpp>
#include <leat/http/message.hpp>
#include <leat/network.hpp>

#include <optional>
#include <string>
#include <vector>

namespace leat::http {

// Whose word is taken.
struct trusted_proxies {
    std::vector<network> networks = {};
    bool unix_sockets = false;  // also that of who connects to a socket of the Unix domain
};

struct forwarded_request {
    // The first who is not trusted, from the server's side; or the last known one, if there is none. Its port
    // is 0 if that is not told. Nothing: a Unix socket.
    std::optional<endpoint> client;
    // "http" or "https", or what else a proxy calls it, in lower case.
    std::string scheme;
    // As the client has named it, perhaps with a port: a Host field. Empty: HTTP/1.0 without one.
    std::string host;
    // A trusted proxy does not tell who the client is, or what it says is malformed: `client` is that proxy.
    bool hidden = false;
};

// For the handler of a server: request::connection is there. Where no proxy is trusted the answer is the
// client of the connection, its own scheme and the field Host.
[[nodiscard]] forwarded_request forwarded(const request& asked, const trusted_proxies& proxies);
// X-Forwarded-Proto and -Host may have one value for each in X-Forwarded-For, or one for all. Each proxy sets
// or removes them, or their value is the client's.
[[nodiscard]] forwarded_request x_forwarded(const request& asked, const trusted_proxies& proxies);

}  // namespace leat::http
