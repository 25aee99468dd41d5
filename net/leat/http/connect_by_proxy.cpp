// SPDX-License-Identifier: MIT
#include <leat/http/connect_by_proxy.hpp>

#include <leat/address.hpp>
#include <leat/http/core/connection.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/http/message.hpp>
#include <leat/http/request_error.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::http {
namespace {

std::errc meaning_of(int status) noexcept {
    switch (status) {
        case 401:
        case 403:
        case 407:
            return std::errc::permission_denied;
        case 504:
            return std::errc::timed_out;
        default:
            return std::errc::connection_refused;
    }
}

// "example.org:443", "[::1]:443": what the proxy is asked for. A zone means nothing to it.
std::string place_of(std::string host, int port) {
    const std::string literal = host.substr(0, host.find('%'));
    const auto parsed = address::try_parse(literal);
    if (parsed && parsed->is_ipv6()) {
        host = "[" + literal + "]";
    }
    host += ":" + std::to_string(port);
    if (port < 1 || port > 65535 || !detail::is_authority(host)) {
        throw std::invalid_argument("an HTTP proxy is asked for a host and a port, not for " + host);
    }
    return host;
}

task<any_stream> open(any_stream proxy, std::string request) {
    detail::client_connection asking{std::move(proxy)};
    co_await asking.exchange("CONNECT", request, {}, never);
    const int status = asking.head().status;
    if (status < 200 || status > 299) {
        const std::string_view phrase = reason_phrase(status);
        throw request_error(std::make_error_code(meaning_of(status)),
                            "it answered " + std::to_string(status) +
                                (phrase.empty() ? std::string() : " " + std::string(phrase)));
    }
    co_return asking.take_stream();
}

}  // namespace

task<tcp_stream> connect_by_proxy(tcp_stream proxy, std::string host, int port, std::string user,
                                  std::string password) {
    const std::string place = place_of(std::move(host), port);
    if (user.find(':') != user.npos) {
        throw std::invalid_argument("the user of an HTTP proxy has no colon in its name");
    }
    std::string request = "CONNECT " + place + " HTTP/1.1\r\n";
    detail::append_field(request, "Host", place);
    if (!user.empty() || !password.empty()) {
        detail::append_field(request, "Proxy-Authorization",
                             detail::basic_authorization(user + ":" + password));
    }
    detail::append_blank_line(request);
    const std::string where =
        "connect to " + place + " by the proxy " + proxy.remote_endpoint().to_string() + ": ";
    try {
        any_stream made = co_await open(any_stream(std::move(proxy)), std::move(request));
        co_return std::move(*made.get_if<tcp_stream>());
    } catch (const std::system_error& failure) {
        throw request_error(failure.code(), where + failure.what());
    }
}

}  // namespace leat::http
