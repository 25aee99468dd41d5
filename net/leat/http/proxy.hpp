// SPDX-License-Identifier: MIT
// proxies: which proxy, if any, a URL is fetched through: http_proxy, https_proxy, all_proxy and no_proxy of
// the environment. Used by the HTTP client.
#pragma once

#include <leat/http/url.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leat::http {

// Where a proxy is, and what is spoken to it.
struct proxy : url {
    proxy(url where, bool speaks_socks) : url(std::move(where)), socks(speaks_socks) {}
    bool socks;  // SOCKS5 (leat/socks.hpp), else HTTP
};

// A proxy is given as "http://user:password@host:port", "host:port", which is the same, or "socks5h://..."
// for a SOCKS5 proxy, which looks names up itself; its port is 1080 unless it is given.
class proxies {
public:
    // None.
    proxies() = default;
    // The variables in lower case win over those in upper case. HTTP_PROXY is ignored where REQUEST_METHOD is
    // set: there it may be a header of a CGI request.
    [[nodiscard]] static proxies from_environment();

    void set_http(std::string_view text) { http_ = text; }
    void set_https(std::string_view text) { https_ = text; }
    // For what has none of its own.
    void set_all(std::string_view text) { all_ = text; }
    // The hosts that are reached without a proxy, as curl, Python's requests or Go read it: entries separated
    // by commas or spaces. "example.org" (also ".example.org", or with a dot at its end) is that host and all
    // below it, "*.example.org" all below it; "192.0.2.1", "::1" or "[::1]" an address, "10.0.0.0/8",
    // "fe80::/10" a network, both also of hosts written as IPv4 addresses in IPv6; "*" everything. Behind a
    // host or a bracketed address may stand ":port".
    void set_excluded(std::string_view list) { excluded_ = list; }

    // The proxy for `target`. Throws request_error if the variable's value for it cannot be used.
    [[nodiscard]] std::optional<proxy> find(const url& target) const;
    [[nodiscard]] bool excludes(const url& target) const;

private:
    std::string http_;
    std::string https_;
    std::string all_;
    std::string excluded_;
};

}  // namespace leat::http
