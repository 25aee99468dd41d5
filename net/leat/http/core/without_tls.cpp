// SPDX-License-Identifier: MIT
#include <leat/http/core/secure_transport.hpp>

#include <leat/http/core/digest_auth.hpp>

#include <utility>

namespace leat::http::detail {

struct secure_transport::state {};

secure_transport::secure_transport(const trust& /*whom*/) {}
secure_transport::secure_transport(secure_transport&&) noexcept = default;
secure_transport& secure_transport::operator=(secure_transport&&) noexcept = default;
secure_transport::~secure_transport() = default;

task<secured_stream> secure_transport::over(tcp_stream /*below*/, std::string host, duration /*limit*/,
                                            bool /*offers_http2*/) {
    throw std::system_error(std::make_error_code(std::errc::protocol_not_supported),
                            "TLS to " + host + ": leat was built without it");
    co_return secured_stream(any_stream(), false);
}

std::optional<std::string> hex_digest(digest_algorithm /*algorithm*/, std::string_view /*text*/) {
    return std::nullopt;
}

task<secured_stream> secure_transport::over(unix_stream /*below*/, std::string host, duration /*limit*/,
                                            bool offers_http2) {
    return over(tcp_stream(), std::move(host), {}, offers_http2);
}

std::optional<tls_info> tls_info_of(any_stream& /*stream*/) {
    return std::nullopt;
}

bool ended_without_notice(const std::error_code& /*code*/) noexcept {
    return false;
}

}  // namespace leat::http::detail
