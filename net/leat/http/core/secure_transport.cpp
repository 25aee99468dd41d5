// SPDX-License-Identifier: MIT
#include <leat/http/core/secure_transport.hpp>

#include <leat/http/core/digest_auth.hpp>
#include <leat/tls.hpp>
#include <leat/tls/core/digest.hpp>

#include <utility>

namespace leat::http::detail {

struct secure_transport::state {
    tls::context context;
};

namespace {

tls::context make_context(const trust& whom) {
    tls::client_options options{
        .insecure = whom.insecure, .alpn = "http/1.1", .key_log_file = whom.key_log_file};
    const auto name = [](tls::pem& source, std::string_view path) {
        if (!path.empty()) {
            source = tls::pem::file(path);
        }
    };
    name(options.ca, whom.ca_file);
    name(options.certificate, whom.certificate_file);
    name(options.key, whom.key_file);
    return tls::context::client(options);
}

template <typename Stream>
task<secured_stream> shaken(Stream below, const tls::context& context, std::string host, duration limit,
                            bool offers_http2) {
    tls::stream<Stream> made(std::move(below), context, host);
    if (offers_http2) {
        made.offer("h2,http/1.1");
    }
    co_await made.handshake(limit);
    const bool http2 = made.session().alpn() == "h2";
    co_return secured_stream(any_stream(std::move(made)), http2);
}

}  // namespace

secure_transport::secure_transport(const trust& whom)
    : state_(std::make_unique<state>(state{make_context(whom)})) {}
secure_transport::secure_transport(secure_transport&&) noexcept = default;
secure_transport& secure_transport::operator=(secure_transport&&) noexcept = default;
secure_transport::~secure_transport() = default;

task<secured_stream> secure_transport::over(tcp_stream below, std::string host, duration limit,
                                            bool offers_http2) {
    return shaken(std::move(below), state_->context, std::move(host), limit, offers_http2);
}

task<secured_stream> secure_transport::over(unix_stream below, std::string host, duration limit,
                                            bool offers_http2) {
    return shaken(std::move(below), state_->context, std::move(host), limit, offers_http2);
}

std::optional<tls_info> tls_info_of(any_stream& stream) {
    const tls::session* facts = nullptr;
    if (auto* const over_tcp = stream.get_if<tls::stream<tcp_stream>>()) {
        facts = &over_tcp->session();
    } else if (auto* const over_unix = stream.get_if<tls::stream<unix_stream>>()) {
        facts = &over_unix->session();
    } else {
        return std::nullopt;
    }
    return tls_info{.version = std::string(facts->version()),
                    .cipher = std::string(facts->cipher()),
                    .alpn = std::string(facts->alpn()),
                    .subject = facts->peer_subject(),
                    .issuer = facts->peer_issuer(),
                    .names = facts->peer_names(),
                    .expires = facts->peer_expires(),
                    .resumed = facts->resumed()};
}

std::optional<std::string> hex_digest(digest_algorithm algorithm, std::string_view text) {
    return tls::detail::hex_digest(algorithm == digest_algorithm::md5 ? "MD5" : "SHA256", text);
}

bool ended_without_notice(const std::error_code& code) noexcept {
    return code == tls::failure::truncated;
}

}  // namespace leat::http::detail
