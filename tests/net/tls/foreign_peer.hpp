// SPDX-License-Identifier: MIT
// Plain OpenSSL over memory: a peer that does what our sessions never would, for the tests of this folder.
#pragma once

#include <leat/tls/core/pem_reader.hpp>
#include <leat/tls/session.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "endpoints.hpp"

namespace leat::tls {

struct ssl_ctx_free {
    void operator()(SSL_CTX* old) const noexcept { SSL_CTX_free(old); }
};
struct ssl_free {
    void operator()(SSL* old) const noexcept { SSL_free(old); }
};

// Of versions `min` to `max`. With a certificate it is a server.
class foreign_peer {
public:
    foreign_peer(int min, int max, const testing::certificate* shown = nullptr)
        : context_(SSL_CTX_new(TLS_method())) {
        SSL_CTX_set_min_proto_version(context_.get(), min);
        SSL_CTX_set_max_proto_version(context_.get(), max);
        SSL_CTX_set_cipher_list(context_.get(), "DEFAULT:@SECLEVEL=0");
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        if (shown == nullptr) {
            SSL_set_connect_state(ssl_.get());
            return;
        }
        const detail::certificate_owner leaf =
            std::move(detail::read_certificates(pem::text(shown->chain), "leaf").front());
        SSL_use_certificate(ssl_.get(), leaf.get());
        SSL_use_PrivateKey(ssl_.get(), detail::read_key(pem::text(shown->key)).get());
        SSL_set_accept_state(ssl_.get());
    }

    int reason = 0;  // why the handshake failed

    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }

    void send_output_to(std::vector<std::byte>& destination) {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
        const auto* begin = reinterpret_cast<const std::byte*>(bytes);
        destination.insert(destination.end(), begin, begin + size);
        (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    }

    // Takes what `ours` has to say.
    void hear(session& ours) {
        while (!ours.output().empty()) {
            const auto bytes = ours.output();
            BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
            ours.consume(bytes.size());
        }
    }

    // Both handshakes; our last step.
    step shake_hands(endpoint& ours) {
        step result;
        for (int round = 0; round < 4; ++round) {
            if (SSL_do_handshake(ssl_.get()) != 1 && ERR_peek_error() != 0) {
                reason = ERR_GET_REASON(ERR_peek_error());
                ERR_clear_error();
            }
            send_output_to(ours.inbox);
            do {
                result = ours.tls.handshake();
                hear(ours.tls);
            } while (result.what == step::kind::has_output ||
                     (result.what == step::kind::needs_input && ours.feed_piece()));
        }
        return result;
    }

    void write(std::string_view text, endpoint& ours) {
        SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
        send_output_to(ours.inbox);
    }

    [[nodiscard]] std::string read() {
        char into[1000];
        const int size = SSL_read(ssl_.get(), into, sizeof(into));
        ERR_clear_error();
        return size > 0 ? std::string(into, static_cast<std::size_t>(size)) : "";
    }

private:
    std::unique_ptr<SSL_CTX, ssl_ctx_free> context_;
    std::unique_ptr<SSL, ssl_free> ssl_;
};

}  // namespace leat::tls
