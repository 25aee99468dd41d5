// SPDX-License-Identifier: MIT
#include <leat/http/proxy.hpp>

#include <leat/address.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/request_error.hpp>
#include <leat/network.hpp>

#include <algorithm>
#include <cstdlib>

namespace leat::http {
namespace {

std::string variable(const char* lower, const char* upper) {
    for (const char* name : {lower, upper}) {
        const char* value = name != nullptr ? std::getenv(name) : nullptr;
        if (value != nullptr) {
            return value;  // an empty one says: none
        }
    }
    return {};
}

// "example.org." names the same host.
std::string_view without_end_dot(std::string_view name) noexcept {
    return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

// Whether `host` is `domain`, which may begin with dots, or below it; below "*.example.org" only.
bool is_within(std::string_view host, std::string_view domain) noexcept {
    const bool below_only = domain.starts_with("*.");
    domain.remove_prefix(below_only ? 2 : 0);
    domain.remove_prefix(std::min(domain.find_first_not_of('.'), domain.size()));
    domain = without_end_dot(domain);
    if (domain.empty() || host.size() <= domain.size()) {
        return !domain.empty() && !below_only && detail::equal_ignoring_case(host, domain);
    }
    const std::string_view end = host.substr(host.size() - domain.size());
    return host[host.size() - domain.size() - 1] == '.' && detail::equal_ignoring_case(end, domain);
}

// Whether `host` is the address `text`, with or without brackets, or in that network: "10.0.0.0/8".
bool is_in(const address& host, std::string_view text) noexcept {
    const auto named = network::try_parse(text);
    return named && named->contains(host);
}

// Whether `entry` of a no_proxy list is about this host and port.
bool is_about(std::string_view entry, std::string_view host, std::uint16_t port) {
    if (entry == "*") {
        return true;
    }
    const std::size_t colon = entry.rfind(':');
    const bool has_port = colon != entry.npos && colon > 0 &&  // others are those of an IPv6 address
                          (entry.find(':') == colon || entry[colon - 1] == ']');
    if (has_port && entry.substr(colon + 1) != std::to_string(port)) {
        return false;
    }
    const std::string_view name = has_port ? entry.substr(0, colon) : entry;
    const auto literal = address::try_parse(host.substr(0, host.find('%')));
    return literal.ok() ? is_in(literal->unmapped(), name) : is_within(without_end_dot(host), name);
}

constexpr std::string_view socks_scheme = "socks5h://";

// What stands behind that scheme as a URL of http, with the port that is meant where none is given: both
// schemes leave out another one.
std::string as_http(const std::string& place) {
    const std::string text = "http://" + place;
    const auto plain = url::try_parse(text);
    const auto secure = url::try_parse("https://" + place);
    if (!plain || !secure || plain->port() == secure->port()) {
        return text;
    }
    const std::size_t end = std::min(place.find_first_of("/?#"), place.size());
    return "http://" + place.substr(0, end) + ":1080";
}

}  // namespace

proxies proxies::from_environment() {
    proxies found;
    found.http_ = variable("http_proxy", std::getenv("REQUEST_METHOD") == nullptr ? "HTTP_PROXY" : nullptr);
    found.https_ = variable("https_proxy", "HTTPS_PROXY");
    found.all_ = variable("all_proxy", "ALL_PROXY");
    found.excluded_ = variable("no_proxy", "NO_PROXY");
    return found;
}

bool proxies::excludes(const url& target) const {
    constexpr std::string_view separators = ", \t\r\n";
    std::string_view rest = excluded_;
    while (!rest.empty()) {
        rest.remove_prefix(std::min(rest.find_first_not_of(separators), rest.size()));
        const std::string_view entry = rest.substr(0, rest.find_first_of(separators));
        rest.remove_prefix(entry.size());
        if (!entry.empty() && is_about(entry, target.host(), target.port())) {
            return true;
        }
    }
    return false;
}

std::optional<proxy> proxies::find(const url& target) const {
    const std::string& own = target.is_secure() ? https_ : http_;
    std::string text = own.empty() ? all_ : own;
    if (text.empty() || excludes(target)) {
        return std::nullopt;
    }
    const bool socks = detail::equal_ignoring_case(text.substr(0, socks_scheme.size()), socks_scheme);
    if (socks) {
        text = as_http(text.substr(socks_scheme.size()));
    } else if (text.find("://") == text.npos) {
        text.insert(0, "http://");
    }
    auto parsed = url::try_parse(text);
    if (!parsed) {
        throw request_error(parsed.error(), "the proxy for " + std::string(target.scheme()) +
                                                " cannot be used: " + parsed.error().message());
    }
    if (parsed->is_secure()) {
        throw request_error(url_error::unsupported_scheme, "a proxy is spoken to over http, not https");
    }
    return proxy(std::move(*parsed), socks);
}

}  // namespace leat::http
