// SPDX-License-Identifier: MIT
#include <fetch/program/prepared_client.hpp>

#include <leat/http/cookie_file.hpp>
#include <leat/http/netrc.hpp>
#include <leat/http/proxy.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fetch {
namespace {

leat::http::client_options options_of(const client_settings& from, bool compressed, std::size_t idle) {
    using leat::address_families, leat::http::http_versions;
    leat::http::client_options made;
    made.ca_file = from.ca_file;
    made.insecure = from.insecure;
    made.certificate_file = from.certificate;
    made.key_file = from.key;
    made.key_log_file = from.key_log;
    made.user_agent = from.user_agent;
    made.unix_socket = from.unix_socket;
    made.environment_proxies = !from.without_proxy;
    made.accept_encodings = compressed;
    made.idle_connections = idle;
    made.versions = from.only_http1 ? http_versions::only_1_1
                    : from.http2    ? http_versions::prior_knowledge
                                    : http_versions::negotiated;
    made.names.families = from.ipv4   ? address_families::ipv4
                          : from.ipv6 ? address_families::ipv6
                                      : address_families::any;
    made.socket.interface = leat::interface_name(from.interface);
    return made;
}

}  // namespace

prepared_client::prepared_client(const client_settings& from, bool compressed, std::size_t idle)
    : from_(from), client_(options_of(from, compressed, idle)) {
    set_proxies();
    for (const host_addresses& each : from.resolved) {
        client_.use_addresses(each.host, each.port, each.addresses);
    }
    if (!from.cookies.empty() || !from.cookie_jar.empty()) {
        client_.use_cookies(cookies_);
    }
}

void prepared_client::set_proxies() {
    if (from_.proxy.empty() && from_.no_proxy.empty()) {
        return;
    }
    leat::http::proxies made;
    if (!from_.proxy.empty()) {
        made.set_all(from_.proxy);
    } else if (!from_.without_proxy) {
        made = leat::http::proxies::from_environment();
    }
    if (!from_.no_proxy.empty()) {
        made.set_excluded(from_.no_proxy);
    }
    client_.use_proxies(std::move(made));
}

leat::task<> prepared_client::load() {
    leat::http::netrc logins;
    if (!from_.netrc.empty()) {
        logins = co_await leat::http::netrc::load(from_.netrc);
    }
    if (!from_.user.empty()) {
        const std::size_t colon = std::min(from_.user.find(':'), from_.user.size());
        logins.set_default({.user = from_.user.substr(0, colon),
                            .password = from_.user.substr(std::min(colon + 1, from_.user.size()))});
    }
    client_.use_netrc(std::move(logins));
    for (const std::string& file : from_.cookies) {
        const auto read = co_await leat::http::load_cookies(file, cookies_);
        if (read.bad > 0) {
            const auto& first = read.bad_lines.front();
            throw std::invalid_argument(file + ": line " + std::to_string(first.number) + ": " +
                                        std::string(first.why));
        }
    }
}

leat::task<> prepared_client::save() {
    if (!from_.cookie_jar.empty()) {
        co_await leat::http::save_cookies(from_.cookie_jar, cookies_);
    }
}

}  // namespace fetch
