// SPDX-License-Identifier: MIT
// tls::session: one TLS connection without any I/O. Bytes from the network go in with feed(), bytes for the
// network are taken with output() and consume(); between them are the steps handshake(), read(), write() and
// shutdown(), which say what they need to go on. tls::stream drives it over a real stream.
//
// How to drive it: take a step. `done`: it happened. `needs_input`: feed what the peer sent (or say
// end_of_input()) and take the step again. `has_output`: send output(), consume() it, and take it again.
// Whenever wants_flush() is true the peer may be waiting for what is in output(), whatever the step said.
//
// Invariants. What is in output() stays there, at the same address, until it is consumed: a cancelled send
// loses nothing. Reading and writing are independent: needs_input and has_output of one do not keep the other
// from being tried, so one reader and one writer may share a session (in one thread).
#pragma once

#include <leat/tls/context.hpp>
#include <leat/tls/core/peer_check.hpp>
#include <leat/tls/core/wire.hpp>
#include <leat/tls/error.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

struct ssl_st;

namespace leat::tls {

// What one step of a session came to.
struct [[nodiscard]] step {
    enum class kind : unsigned char {
        done,         // it happened, for `bytes` bytes
        needs_input,  // nothing happened; all that was fed is used up
        has_output,   // nothing happened; the peer must see output() first
        closed,       // the peer said close_notify: a clean end, nothing more will come
        failed,       // `error` says why, error_text() in full
    };

    kind what = kind::done;
    std::size_t bytes = 0;
    std::error_code error = {};

    [[nodiscard]] bool done() const noexcept { return what == kind::done; }
};

class session {
public:
    // The most of output() that write() leaves behind, but for one record.
    static constexpr std::size_t output_max = 64 * 1024;

    // A client's `host` is the name or address that the server's certificate must be for; it may be empty
    // only when the context is insecure. A server has none. The context may go before the session does.
    // Throws tls::error, for a host that cannot be one.
    explicit session(const context& shared, std::string_view host = {});
    session(const session&) = delete;  // OpenSSL holds our address
    session& operator=(const session&) = delete;
    ~session();

    // Of a client, before its handshake: the protocols to offer by ALPN, best first, in place of those of the
    // context. Throws tls::error.
    void offer(std::string_view alpn);

    // Once done it stays done. After `failed` there may be an alert for the peer in output().
    step handshake();
    // Decrypts into `into` what has arrived, at most its size; done has at least one byte unless `into` is
    // empty. `failed` with failure::truncated when the input ended without close_notify; writing may go on.
    step read(std::span<std::byte> into);
    // Encrypts the first `bytes` of `from`, at least one unless it is empty; they are then in output().
    step write(std::span<const std::byte> from);
    // Puts close_notify into output(), once: nothing can be written after it. Reading may go on.
    step shutdown();

    // Bytes from the peer, after the earlier ones were used up (unread_input() is empty). They are not
    // copied: they must stay where they are until a step says needs_input or unread_input() is empty.
    void feed(std::span<const std::byte> ciphertext) noexcept;
    [[nodiscard]] std::span<const std::byte> unread_input() const noexcept { return wire_.input; }
    // unread_input() stands here from now on, unchanged.
    void move_input(std::span<const std::byte> same) noexcept { wire_.input = same; }
    // Whether there is something that read() has not taken: of the peer's bytes, or their end, or a failure.
    [[nodiscard]] bool has_unread() const noexcept;
    // The peer's side of the connection has ended; with what was fed, that is all.
    void end_of_input() noexcept { input_ended_ = true; }
    // Whether the end of input ends reading as close_notify does, for protocols whose messages tell where
    // they end. At first not: without close_notify it is failure::truncated.
    void ignore_unexpected_eof(bool ignored) noexcept { eof_is_end_ = ignored; }

    // What to send next, as much as is contiguous; empty when there is nothing. Valid until consumed.
    [[nodiscard]] std::span<const std::byte> output() const noexcept { return wire_.output.front(); }
    [[nodiscard]] std::size_t output_size() const noexcept { return wire_.output.size(); }
    void consume(std::size_t count) noexcept;
    // True while output() holds something that the peer may be waiting for. False when all there is are
    // a server's tickets. They are worth sending at once, with data if there is some (a peer that holds back
    // its first request until its last bytes are acknowledged gets that with them), but not worth waiting
    // for: a client that only writes may never read them.
    [[nodiscard]] bool wants_flush() const noexcept { return wants_flush_; }

    [[nodiscard]] bool established() const noexcept { return established_; }
    [[nodiscard]] bool is_server() const noexcept;
    // Why the last step failed, in one line that names what the code cannot, such as the host. What it was
    // that failed, and with whom, is for the caller to put before it.
    [[nodiscard]] const std::string& error_text() const noexcept { return error_text_; }
    // Throws that of a step that failed.
    [[noreturn]] void throw_error(const step& failed) const { throw error(failed.error, error_text_); }

    // Facts, once established. The views live as long as the session does.
    [[nodiscard]] std::string_view version() const noexcept;  // "TLSv1.3"
    [[nodiscard]] std::string_view cipher() const noexcept;   // "TLS_AES_256_GCM_SHA384"
    [[nodiscard]] std::string_view alpn() const noexcept;     // "h2", or empty when none was agreed on
    [[nodiscard]] std::string_view server_name()
        const noexcept;                              // the name that the client has sent (SNI), or empty
    [[nodiscard]] std::string peer_subject() const;  // "CN=a.example", or empty without certificate
    [[nodiscard]] std::string peer_names() const;    // "a.example, *.b.example"
    [[nodiscard]] std::string peer_issuer() const;   // "CN=Example CA", as peer_subject()
    // Until when the peer's certificate is valid.
    [[nodiscard]] std::optional<std::chrono::sys_seconds> peer_expires() const;
    [[nodiscard]] bool resumed() const noexcept;
    // What the server has sent of its certificate's OCSP response, as it came, unchecked (DER); empty when it
    // sent none, client_options::ask_ocsp was not set, or the session is resumed.
    [[nodiscard]] std::string_view ocsp_response() const noexcept;

private:
    struct ssl_free {
        void operator()(ssl_st* old) const noexcept;
    };

    static std::unique_ptr<ssl_st, ssl_free> new_ssl(const context& shared);
    session(std::unique_ptr<ssl_st, ssl_free> ssl, std::string_view host);

    [[nodiscard]] bool may_have_more() const noexcept;
    // What to answer after an OpenSSL call returned `outcome`, which was no success.
    step blocked_or_failed(int outcome, std::size_t output_before);
    step blocked(std::size_t output_before);
    step end_of_stream();
    step fail_for_good();
    step refuse(std::error_code code, std::string text);
    void note_output(std::size_t output_before) noexcept;

    detail::wire wire_;
    std::unique_ptr<ssl_st, ssl_free> ssl_;
    detail::peer_check peer_check_;
    std::error_code failure_;  // once set, every step fails with it
    std::string error_text_;
    bool established_ = false;
    bool input_ended_ = false;
    bool eof_is_end_ = false;
    bool shut_down_ = false;
    bool wants_flush_ = false;
};

}  // namespace leat::tls
