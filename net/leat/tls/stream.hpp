// SPDX-License-Identifier: MIT
// tls::stream<Transport>: TLS over any byte stream, itself a leat::stream. It owns its transport. The
// handshake happens at the first operation, or when it is asked for; connect() and accept() (connect.hpp)
// make streams that have done it.
//
// As with every stream, one task may receive while another sends. A connection that is idle, unread
// or waits in its handshake owns no receive buffer. Cancelling loses nothing: see each operation. Errors name
// the host and the peer: tls::error for what TLS refuses, std::system_error for what happens to the
// transport.
#pragma once

#include <leat/core/detachable.hpp>
#include <leat/core/handshakes.hpp>
#include <leat/endpoint.hpp>
#include <leat/timeout.hpp>
#include <leat/tls/core/stream_state.hpp>

namespace leat::tls {

template <leat::stream Transport>
class stream : public leat::detail::at_home_in_run {
public:
    // A client's `host` is whom the certificate must be for; a server has none. The context may go before
    // the stream does. Throws tls::error for a host that cannot be one.
    explicit stream(Transport below, const context& shared, std::string_view host = {})
        : state_(*new state(std::move(below), shared, host)) {}
    stream(stream&& other) noexcept = default;
    stream& operator=(stream&& other) noexcept {
        if (this != &other) {
            close_transport();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~stream() { close_transport(); }

    // Of a client, before its handshake: the protocols to offer by ALPN, best first, in place of those of the
    // context. Throws tls::error.
    void offer(std::string_view alpn) { here().offer(alpn); }
    // Completes once each side knows the other: at once if it has been done. Throws an error such as "TLS
    // handshake with example.org (192.0.2.1:443): certificate verify failed: certificate has expired", or
    // with errc::timed_out. Cancelled or timed out it is only interrupted: the next operation goes on with
    // it. A transport that has a handshake of its own, such as that of a proxied_listener, has it before,
    // within the same limit; only here.
    task<> handshake(duration limit = duration::max()) {
        if constexpr (leat::detail::shakes_hands<Transport>) {
            return handshake_of_both(leat::detail::reference<state>::share(here()), limit);
        } else {
            return state::handshake(shared(), limit);
        }
    }

    // co_await gives the number of bytes received: at least one, or 0 once the peer has said that there are
    // no more (close_notify). A transport that ends without that throws tls::failure::truncated, each time.
    // Cancelled: nothing was taken from the stream. An empty buffer is misuse.
    task<std::size_t> recv(byte_buffer into) {
        leat::detail::check_room(into.size());
        return state::recv(shared(), into);
    }
    // Fills the buffer, or throws stream_errc::end_of_stream saying how much arrived. Cancelled: the next
    // read sees what had arrived.
    task<> recv_exactly(byte_buffer into) { return state::recv_exactly(shared(), into); }
    // Gives a chunk of at least one byte and at most 16 KiB, or an empty one at the end. Bytes that were
    // given back come as one chunk.
    task<chunk> recv_chunk() { return state::recv_chunk(shared()); }
    // The next receive gets `bytes` first. No task receives meanwhile. Throws std::bad_alloc, or
    // stream_errc::closed; then nothing has changed, `bytes` neither.
    void unread(chunk&& bytes) { here().unread(std::move(bytes)); }

    // Gives the number of bytes taken, at least one. Cancelled: nothing was taken; or some was, and the
    // number is given all the same, while the stream goes on sending them.
    task<std::size_t> send(byte_view from) { return state::send(shared(), from); }
    // Sends all, in order: one piece, or up to four. Cancelled before the first byte was encrypted: nothing
    // was sent. Cancelled or failed later: what the peer has got is unknown, and later sends fail with
    // stream_errc::broken.
    template <typename... More>
        requires(sizeof...(More) < std::tuple_size_v<leat::detail::byte_pieces>)
    task<> send_all(byte_view first, const More&... more) {
        return state::send_all(shared(), leat::detail::byte_pieces{first, byte_view(more)...});
    }
    // Bytes taken for sending so far, before encryption.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return here().bytes_sent(); }

    // Whether a receive would have to wait, as far as can be told without decrypting: no byte has come, no
    // end and no error. What TLS says between the two sides itself, such as a ticket, counts as a byte.
    [[nodiscard]] bool is_quiet() const noexcept
        requires requires(const Transport& t) { t.is_quiet(); }
    {
        return here().is_open() && !here().has_unread() && here().transport.is_quiet();
    }

    // Whether a transport that ends without close_notify ends the stream all the same, from the next receive
    // on: for protocols whose messages tell where they end, as HTTP's requests do. At first not.
    void ignore_unexpected_eof(bool ignored) noexcept { here().ignore_unexpected_eof(ignored); }

    // Says close_notify, then ends the transport's sending too; receiving goes on. Cancelled: it can be
    // called again.
    task<> shutdown_send() { return state::shutdown_send(shared()); }

    // Closes the transport at once: operations in flight fail with operation_canceled, later ones with
    // stream_errc::closed. Without shutdown_send() before it, the peer sees a truncated stream.
    void close() noexcept { here().close(); }
    // The same; the transport is reset, if it can be.
    void reset() noexcept { here().reset(); }
    [[nodiscard]] bool is_open() const noexcept { return state_ && state_->is_open(); }
    // Detaches the transport, and the stream with it, from its run; received bytes that are not read yet go
    // along. No task waits on it, and the bytes of a cancelled send have left (a later send that has ended
    // shows that). Throws std::bad_alloc.
    void detach()
        requires requires(Transport& t) { t.detach(); }
    {
        here().detach();
    }

    [[nodiscard]] endpoint local_endpoint() const
        requires requires(const Transport& t) { endpoint(t.local_endpoint()); }
    {
        return here().transport.local_endpoint();
    }
    [[nodiscard]] endpoint remote_endpoint() const
        requires requires(const Transport& t) { endpoint(t.remote_endpoint()); }
    {
        return here().transport.remote_endpoint();
    }

    // Facts, once the handshake is done; session() has all of them.
    [[nodiscard]] std::string_view version() const noexcept { return here().facts().version(); }
    [[nodiscard]] std::string_view alpn() const noexcept { return here().facts().alpn(); }
    [[nodiscard]] std::string peer_subject() const { return here().facts().peer_subject(); }
    [[nodiscard]] const tls::session& session() const noexcept { return here().facts(); }

    // What it runs over, for options; not for reading, writing or closing.
    [[nodiscard]] Transport& transport() noexcept { return here().transport; }

private:
    using state = detail::stream_state_over<Transport>;

    [[nodiscard]] state& here() const noexcept {
        check(static_cast<bool>(state_), "the stream was moved from");
        return *state_;
    }
    [[nodiscard]] detail::state_reference shared() const noexcept {
        return detail::state_reference::share(here());
    }
    static task<> handshake_of_both(leat::detail::reference<state> self, duration limit) {
        const time_point deadline = after(now(), limit);
        co_await timeout_at(deadline, self->transport.handshake());
        const duration left = deadline == never ? duration::max() : deadline - now();
        co_await state::handshake(detail::state_reference::share(*self), left);
    }
    void close_transport() noexcept {
        if (state_) {
            state_->close();
        }
    }

    leat::detail::reference<state> state_;
};

}  // namespace leat::tls
