// SPDX-License-Identifier: MIT
#include <leat/http/forwarded.hpp>

#include <leat/check.hpp>
#include <leat/http/core/parameters.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/served_connection.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <string_view>
#include <utility>

// Theory of operation. A hop is what one proxy says of whom it has the request from. The fields are made into
// hops, the nearest first, and walked as long as who has said a hop is trusted. A line of Forwarded that is
// malformed, such as by a quote that a client has left open, has no hops that can be told from each other;
// the lines behind it, which a proxy has added, have.

namespace leat::http {
namespace {

struct hop {
    std::string node = {};  // whom it is from; empty: not told
    std::string scheme = {};
    std::string host = {};
    bool malformed = false;
};

std::optional<address> address_of(std::string_view text) noexcept {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        if (text.find(':') == text.npos) {
            return std::nullopt;
        }
    }
    const auto found = address::try_parse(text);
    return found.ok() ? std::optional(found->unmapped()) : std::nullopt;
}

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]:_hidden" (RFC 7239 6), "2001:db8::1".
// Nothing for "unknown", "_hidden" and what is no node.
std::optional<endpoint> endpoint_of(std::string_view node) {
    if (node.find('%') != node.npos) {  // a zone is of the machine that says it
        return std::nullopt;
    }
    if (const auto found = address_of(node)) {
        return endpoint(*found, 0);
    }
    const std::size_t colon = node.rfind(':');
    const auto found = colon != node.npos ? address_of(node.substr(0, colon)) : std::nullopt;
    const std::string_view port = colon != node.npos ? node.substr(colon + 1) : std::string_view();
    if (!found || (node.front() != '[' && found->is_ipv6())) {
        return std::nullopt;
    }
    if (port.starts_with('_')) {
        return endpoint(*found, 0);
    }
    const auto whole = endpoint::try_parse(node);
    return whole.ok() ? std::optional(endpoint(*found, whole->port())) : std::nullopt;
}

// RFC 3986 3.1.
bool is_scheme(std::string_view text) noexcept {
    return !text.empty() && detail::is_alpha(text.front()) && std::ranges::all_of(text, [](char c) {
        return detail::is_alpha(c) || detail::is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

std::string lower(std::string_view text) {
    std::string all(text);
    std::ranges::transform(all, all.begin(), detail::to_lower);
    return all;
}

// What is behind an equals sign. Ports and IPv6 addresses are to be in quotes; not every proxy knows.
std::optional<std::string> take_value(std::string_view& rest) {
    if (rest.starts_with('"')) {
        return detail::take_quoted(rest);
    }
    std::string value(rest.substr(0, rest.find_first_of(",; \t")));
    rest.remove_prefix(value.size());
    return value.find('"') == value.npos ? std::optional(std::move(value)) : std::nullopt;
}

// The next pair of an element of Forwarded, off the front of `rest`, into `to`. False: malformed.
bool take_pair(std::string_view& rest, hop& to) {
    const std::size_t equals = std::min(rest.find('='), rest.size());
    const std::string_view name = rest.substr(0, equals);
    rest.remove_prefix(std::min(equals + 1, rest.size()));
    auto value = take_value(rest);
    if (!detail::is_token(name) || !value || value->empty()) {
        return false;
    }
    std::string* const place = detail::equal_ignoring_case(name, "for")     ? &to.node
                               : detail::equal_ignoring_case(name, "proto") ? &to.scheme
                               : detail::equal_ignoring_case(name, "host")  ? &to.host
                                                                            : nullptr;
    if (place != nullptr && !place->empty()) {
        return false;  // twice
    }
    if (place != nullptr) {
        *place = std::move(*value);
    }
    return true;
}

// The elements of a line of Forwarded, in its order; nothing when it is malformed.
std::optional<std::vector<hop>> read_line(std::string_view rest) {
    std::vector<hop> hops;
    for (bool begins = true; !rest.empty();) {
        const char c = rest.front();
        if (detail::is_blank(c) || c == ';' || c == ',') {
            begins |= c == ',';
            rest.remove_prefix(1);
            continue;
        }
        if (std::exchange(begins, false)) {
            hops.emplace_back();
        }
        if (!take_pair(rest, hops.back())) {
            return std::nullopt;
        }
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
        if (!rest.empty() && rest.front() != ';' && rest.front() != ',') {
            return std::nullopt;
        }
    }
    return hops;
}

std::vector<hop> hops_of_forwarded(const headers& fields) {
    std::vector<hop> hops;
    for (const std::string_view line : fields.get_all("Forwarded") | std::views::reverse) {
        auto told = read_line(line);
        if (!told) {
            hops.push_back({.malformed = true});
            break;
        }
        std::ranges::move(*told | std::views::reverse, std::back_inserter(hops));
    }
    return hops;
}

// The elements of a list, the last first.
std::vector<std::string_view> elements_of(const headers& fields, std::string_view name) {
    std::vector<std::string_view> all;
    for (std::string_view line : fields.get_all(name)) {
        for (auto each = detail::next_element(line); !each.empty(); each = detail::next_element(line)) {
            all.push_back(each);
        }
    }
    std::ranges::reverse(all);
    return all;
}

std::vector<hop> hops_of_x_forwarded(const headers& fields) {
    const auto nodes = elements_of(fields, "X-Forwarded-For");
    const auto schemes = elements_of(fields, "X-Forwarded-Proto");
    const auto hosts = elements_of(fields, "X-Forwarded-Host");
    const auto in_step = [](const std::vector<std::string_view>& all, std::size_t at) {
        return all.empty() ? std::string() : std::string(all[std::min(at, all.size() - 1)]);
    };
    const bool says_something = !nodes.empty() || !schemes.empty() || !hosts.empty();
    std::vector<hop> hops(says_something ? std::max<std::size_t>(nodes.size(), 1) : 0);
    for (std::size_t at = 0; at < hops.size(); ++at) {
        hops[at] = {.node = nodes.empty() ? std::string() : std::string(nodes[at]),
                    .scheme = in_step(schemes, at),
                    .host = in_step(hosts, at)};
    }
    return hops;
}

bool is_trusted(const std::optional<endpoint>& who, const trusted_proxies& proxies) {
    return who ? any_contains(proxies.networks, who->address()) : proxies.unix_sockets;
}

forwarded_request walk(const request& asked, const trusted_proxies& proxies, const std::vector<hop>& hops) {
    check(asked.connection != nullptr, "forwarded() is for the handler of a server");
    forwarded_request found{.client = asked.connection->remote_endpoint(),
                            .scheme = asked.connection->tls() != nullptr ? "https" : "http",
                            .host = std::string(asked.headers.get("Host").value_or("")),
                            .hidden = false};
    for (const hop& each : hops) {
        if (!is_trusted(found.client, proxies)) {
            break;
        }
        if (each.malformed || (!each.scheme.empty() && !is_scheme(each.scheme)) ||
            (!each.host.empty() && !detail::is_authority(each.host))) {
            found.hidden = true;
            break;
        }
        found.scheme = each.scheme.empty() ? found.scheme : lower(each.scheme);
        found.host = each.host.empty() ? found.host : each.host;
        const auto client = endpoint_of(each.node);
        if (!client) {
            found.hidden = true;
            break;
        }
        found.client = client;
    }
    return found;
}

}  // namespace

forwarded_request forwarded(const request& asked, const trusted_proxies& proxies) {
    return walk(asked, proxies, hops_of_forwarded(asked.headers));
}

forwarded_request x_forwarded(const request& asked, const trusted_proxies& proxies) {
    return walk(asked, proxies, hops_of_x_forwarded(asked.headers));
}

}  // namespace leat::http
