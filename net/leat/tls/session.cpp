// SPDX-License-Identifier: MIT
// Theory of operation. OpenSSL reads from and writes to a `wire` (wire.hpp). Its reads find bytes or "retry",
// never an end: whether the connection was cut off is decided here, so that an end of input does not break
// the writing half. Its writes always succeed and whole records stay in the queue, so OpenSSL never holds
// part of a record back and no call need be repeated with the same bytes: a write that is given up by its
// caller leaves nothing behind. Before each call the thread's error queue is emptied, because
// SSL_get_error() looks at it; after each failure it is emptied into our text.
#include <leat/tls/session.hpp>

#include <leat/check.hpp>
#include <leat/tls/core/certificate_names.hpp>
#include <leat/tls/core/context_settings.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <new>
#include <utility>

namespace leat::tls {
namespace {

constexpr std::size_t record_data_max = 16 * 1024;  // RFC 8446, 5.1
constexpr std::size_t record_overhead_max = 96;     // header, padding and tag of what we send

// The errors of people who speak something else on this port.
bool is_other_protocol(int reason) {
    return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
           reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

std::size_t ciphertext_size(std::size_t plain) {
    return plain + record_overhead_max * (plain / record_data_max + 1);
}

}  // namespace

std::unique_ptr<ssl_st, session::ssl_free> session::new_ssl(const context& shared) {
    ERR_clear_error();
    std::unique_ptr<ssl_st, ssl_free> made(SSL_new(shared.share().get()));
    if (made == nullptr) {
        const described_error cause = take_queued_error(failure::configuration);
        throw error(cause.code, "cannot make a TLS session: " + cause.text);
    }
    return made;
}

session::session(const context& shared, std::string_view host) : session(new_ssl(shared), host) {}

session::session(std::unique_ptr<ssl_st, ssl_free> ssl, std::string_view host)
    : wire_(!detail::settings_of(SSL_get_SSL_CTX(ssl.get())).release_buffers),
      ssl_(std::move(ssl)),
      peer_check_(ssl_.get(), host) {
    detail::context_settings& settings = detail::settings_of(SSL_get_SSL_CTX(ssl_.get()));
    const bool client = settings.side == role::client;
    check(client || host.empty(), "a TLS server's session expects no host");
    if (client && !settings.insecure && host.empty()) {
        throw error(make_error_code(failure::configuration),
                    "a TLS client must be told which host to expect");
    }
    BIO* const bio = detail::make_wire_bio(wire_);
    if (bio == nullptr) {
        throw std::bad_alloc();
    }
    SSL_set_bio(ssl_.get(), bio, bio);
    if (!client) {
        SSL_set_accept_state(ssl_.get());
        return;
    }
    SSL_set_connect_state(ssl_.get());
    if (const detail::ticket kept = settings.resume ? settings.tickets.take(peer_check_.host()) : nullptr) {
        SSL_set_session(ssl_.get(), kept.get());
    }
}

session::~session() {
    if (established_ && !failure_) {
        // OpenSSL makes the tickets of a connection without close_notify unusable, as SSL 3 wanted it.
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
}

void session::ssl_free::operator()(ssl_st* old) const noexcept {
    SSL_free(old);
}

void session::offer(std::string_view alpn) {
    check(!is_server() && !established_, "a client offers protocols before its handshake");
    const std::string wire = detail::alpn_to_wire(alpn);
    if (SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size())) != 0) {
        throw std::bad_alloc();
    }
}

step session::handshake() {
    if (failure_) {
        return {step::kind::failed, 0, failure_};
    }
    if (established_) {
        return {};
    }
    ERR_clear_error();
    const std::size_t output_before = wire_.output.size();
    const int outcome = SSL_do_handshake(ssl_.get());
    if (outcome != 1) {
        const step answer = blocked_or_failed(outcome, output_before);
        const bool send_first = answer.what == step::kind::needs_input && !wire_.output.empty();
        return send_first ? step{step::kind::has_output} : answer;
    }
    established_ = true;
    const bool only_tickets = is_server() && SSL_version(ssl_.get()) >= TLS1_3_VERSION;
    if (!only_tickets) {
        note_output(output_before);
    }
    return {};
}

step session::read(std::span<std::byte> into) {
    check(established_ || failure_, "a TLS session is read after its handshake");
    if (failure_) {
        return {step::kind::failed, 0, failure_};
    }
    const std::size_t output_before = wire_.output.size();
    wire_.reading = true;
    std::size_t filled = 0;
    int outcome = 1;
    ERR_clear_error();
    while (filled < into.size() && outcome == 1 && (filled == 0 || may_have_more())) {
        std::size_t count = 0;
        outcome = SSL_read_ex(ssl_.get(), into.data() + filled, into.size() - filled, &count);
        filled += count;
    }
    // A failure is taken down even when bytes came before it: OpenSSL tells it once.
    const step answer = outcome == 1 ? step{} : blocked_or_failed(outcome, output_before);
    wire_.reading = false;
    note_output(output_before);
    return filled > 0 ? step{step::kind::done, filled} : answer;
}

bool session::may_have_more() const noexcept {
    return !wire_.input.empty() || SSL_pending(ssl_.get()) > 0;
}

bool session::has_unread() const noexcept {
    return input_ended_ || failure_ || !wire_.input.empty() || SSL_has_pending(ssl_.get()) != 0 ||
           (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

step session::write(std::span<const std::byte> from) {
    check(established_ || failure_, "a TLS session is written to after its handshake");
    if (failure_) {
        return {step::kind::failed, 0, failure_};
    }
    if (shut_down_) {
        return refuse(std::make_error_code(std::errc::broken_pipe), "written to after shutdown");
    }
    if (from.empty()) {
        return {};
    }
    const std::size_t output_before = wire_.output.size();
    if (output_before >= output_max) {
        return {step::kind::has_output};
    }
    wire_.output.reserve(ciphertext_size(std::min(from.size(), output_max - output_before)));
    std::size_t taken = 0;
    int outcome = 1;
    ERR_clear_error();
    while (taken < from.size() && outcome == 1 && wire_.output.size() < output_max) {
        std::size_t count = 0;
        outcome = SSL_write_ex(ssl_.get(), from.data() + taken, from.size() - taken, &count);
        taken += count;
    }
    const step answer = outcome == 1 ? step{} : blocked_or_failed(outcome, output_before);
    note_output(output_before);
    return taken > 0 ? step{step::kind::done, taken} : answer;
}

step session::shutdown() {
    if (failure_) {
        return {step::kind::failed, 0, failure_};
    }
    if (shut_down_ || !established_) {
        shut_down_ = true;  // without a handshake there is nothing to end
        return {};
    }
    shut_down_ = true;
    ERR_clear_error();
    const std::size_t output_before = wire_.output.size();
    const int outcome = SSL_shutdown(ssl_.get());
    if (outcome < 0) {
        return blocked_or_failed(outcome, output_before);
    }
    note_output(output_before);
    return {};
}

void session::feed(std::span<const std::byte> ciphertext) noexcept {
    check(wire_.input.empty(), "a TLS session is fed when it has used up what it was fed before");
    check(!input_ended_, "a TLS session is not fed after end_of_input");
    wire_.input = ciphertext;
}

void session::consume(std::size_t count) noexcept {
    wire_.consume_output(count);
    if (wire_.output.empty()) {
        wants_flush_ = false;
    }
}

step session::blocked_or_failed(int outcome, std::size_t output_before) {
    if (wire_.out_of_memory) {
        failure_ = std::make_error_code(std::errc::not_enough_memory);
        error_text_ = failure_.message();
        ERR_clear_error();
        return {step::kind::failed, 0, failure_};
    }
    switch (SSL_get_error(ssl_.get(), outcome)) {
        case SSL_ERROR_WANT_READ:
            return blocked(output_before);
        case SSL_ERROR_ZERO_RETURN:
            wire_.input = {};  // nothing counts after close_notify (RFC 8446, 6.1)
            return {step::kind::closed};
        default:
            note_output(output_before);
            return fail_for_good();
    }
}

step session::blocked(std::size_t output_before) {
    const bool answered = wire_.output.size() > output_before;
    note_output(output_before);
    if (answered || !wire_.input.empty()) {
        return {step::kind::has_output};
    }
    if (input_ended_) {
        return end_of_stream();
    }
    return {step::kind::needs_input};
}

step session::end_of_stream() {
    if (established_ && eof_is_end_ && wire_.reading) {
        return {step::kind::closed};
    }
    if (established_) {
        return refuse(make_error_code(failure::truncated), make_error_code(failure::truncated).message());
    }
    failure_ = make_error_code(failure::truncated);
    error_text_ = "the peer closed the connection";
    return {step::kind::failed, 0, failure_};
}

step session::fail_for_good() {
    wire_.input = {};
    const unsigned long last = ERR_peek_last_error();  // the first may be that of a signature's algorithm
    const int reason = ERR_GET_LIB(last) == ERR_LIB_SSL ? ERR_GET_REASON(last) : 0;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        ERR_clear_error();
        described_error refused = peer_check_.refusal();
        failure_ = refused.code;
        error_text_ = std::move(refused.text);
        return {step::kind::failed, 0, failure_};
    }
    const described_error cause = take_queued_error(failure::protocol);
    failure_ = cause.code;
    error_text_ = cause.text;
    if (!established_ && is_other_protocol(reason)) {
        error_text_ += " (the peer does not seem to speak TLS)";
    }
    if (reason == SSL_R_CALLBACK_FAILED) {  // that of server_certificates
        error_text_ = "no certificate is for the name that the client asks for: " + printable(server_name());
    }
    return {step::kind::failed, 0, failure_};
}

step session::refuse(std::error_code code, std::string text) {
    error_text_ = std::move(text);
    return {step::kind::failed, 0, code};
}

void session::note_output(std::size_t output_before) noexcept {
    wants_flush_ = wants_flush_ || wire_.output.size() > output_before;
}

bool session::is_server() const noexcept {
    return SSL_is_server(ssl_.get()) == 1;
}

std::string_view session::version() const noexcept {
    return SSL_get_version(ssl_.get());
}

std::string_view session::cipher() const noexcept {
    const char* name = SSL_get_cipher_name(ssl_.get());
    return name != nullptr ? name : "";
}

std::string_view session::alpn() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

std::string_view session::server_name() const noexcept {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
}

std::string session::peer_subject() const {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    return certificate != nullptr ? detail::certificate_subject(certificate) : std::string();
}

std::string session::peer_names() const {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    return certificate != nullptr ? detail::certificate_names(certificate) : std::string();
}

std::string session::peer_issuer() const {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    return certificate != nullptr ? detail::certificate_issuer(certificate) : std::string();
}

std::optional<std::chrono::sys_seconds> session::peer_expires() const {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    return certificate != nullptr ? detail::certificate_end(certificate) : std::nullopt;
}

bool session::resumed() const noexcept {
    return SSL_session_reused(ssl_.get()) == 1;
}

std::string_view session::ocsp_response() const noexcept {
    const unsigned char* bytes = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &bytes);
    return {reinterpret_cast<const char*>(bytes), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace leat::tls
