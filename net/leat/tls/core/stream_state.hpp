// SPDX-License-Identifier: MIT
// stream_state: a TLS connection over some transport, owned by tls::stream and shared with its operations. An
// operation keeps it alive, but does not keep it open.
//
// Theory of operation. The session (session.hpp) turns plain bytes into ciphertext and back without I/O;
// bytes to be sent stay in it until the transport has taken them, and received bytes stay in `input_` until
// they are used up, and no longer. So a cancelled operation has to save only what it had decrypted for its
// caller. Two primitives move bytes, flush() and fetch(); each uses one direction of the transport. A task
// that needs a direction in use waits until it is free, and then checks again what is left to do.
//
// A reader avoids to wait for the sending direction: its answers to the peer (to a KeyUpdate) go with what a
// sender is flushing, or as far as the transport takes them at once; where a transport cannot tell that, a
// background task sends them. So a peer that does not read cannot stop our reader.
#pragma once

#include <leat/bytes.hpp>
#include <leat/check.hpp>
#include <leat/chunk.hpp>
#include <leat/clock.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/one_user.hpp>
#include <leat/core/reference.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>
#include <leat/tls/core/direction.hpp>
#include <leat/tls/session.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat::tls::detail {

class stream_state;

using state_reference = leat::detail::reference<stream_state>;

// What one send_all sends, in this order; unused ones are empty.

class stream_state : public leat::detail::frame_pool::allocated {
public:
    stream_state(const stream_state&) = delete;
    stream_state& operator=(const stream_state&) = delete;
    virtual ~stream_state() = default;

    // The operations of tls::stream; see there.
    static task<> handshake(state_reference self, duration limit);
    static task<std::size_t> recv(state_reference self, byte_buffer into);
    static task<> recv_exactly(state_reference self, byte_buffer into);
    static task<chunk> recv_chunk(state_reference self);
    static task<std::size_t> send(state_reference self, byte_view from);
    static task<> send_all(state_reference self, leat::detail::byte_pieces pieces);
    static task<> shutdown_send(state_reference self);
    void unread(chunk&& bytes);
    void close() noexcept;
    void reset() noexcept;
    void detach();

    [[nodiscard]] bool is_open() const noexcept { return !closed_; }
    // Whether something that has come through the transport is there to be received.
    [[nodiscard]] bool has_unread() const noexcept { return returned_ != nullptr || session_.has_unread(); }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }
    void ignore_unexpected_eof(bool ignored) noexcept { session_.ignore_unexpected_eof(ignored); }
    void offer(std::string_view alpn) { session_.offer(alpn); }
    [[nodiscard]] const session& facts() const noexcept { return session_; }
    // "example.org (192.0.2.1:443)", for errors.
    [[nodiscard]] std::string peer() const;

    std::uint32_t references = 1;

protected:
    stream_state(const context& shared, std::string_view host) : session_(shared, host), host_(host) {}

    // Sends what is in the session's output, in order, until there is nothing more.
    virtual task<> flush() = 0;
    // Sends what the transport takes at once. False: it cannot tell how much that is.
    virtual bool try_flush() = 0;
    // Receives something, or the end, and feeds it to the session; or lets another task do that.
    virtual task<> fetch() = 0;
    virtual task<> end_transport() = 0;
    virtual void close_transport() noexcept = 0;
    virtual void reset_transport() noexcept = 0;
    virtual void detach_transport() = 0;
    // Its peer's address as text, or nothing.
    [[nodiscard]] virtual std::string transport_peer() const = 0;

    void take_input(chunk arrived) noexcept;

    session session_;
    direction sending_;
    direction receiving_;
    chunk input_;  // what the session was fed with

private:
    struct unfinished_read;
    struct unfinished_send;
    struct background_flush;

    [[nodiscard]] bool is_established() const noexcept { return session_.established(); }
    task<> establish();
    task<> agree();
    task<> prepare_send();
    step read(std::span<std::byte> into);
    task<> read_on(step blocked);
    step write(std::span<const std::byte> from);
    task<> write_on(step blocked);
    task<> tell_peer(std::error_code failed);
    void release_used_input() noexcept;
    // Sends answers that the peer does not wait for, as far as the transport takes them at once. A send that
    // is under way, or the next one, sends the rest.
    void send_answers();
    // Sends in the background what a sender has left behind.
    void flush_in_background();
    static task<> flush_quietly(std::unique_ptr<background_flush> self);

    // Awaited first by what reads, and by what writes.
    [[nodiscard]] leat::detail::one_user::turn turn_to_read() noexcept {
        return {reader_, "two tasks receive from one TLS stream at once"};
    }
    [[nodiscard]] leat::detail::one_user::turn turn_to_write() noexcept {
        return {writer_, "two tasks send on one TLS stream at once"};
    }
    void require_open(const char* what) const;
    void require_readable() const;
    [[noreturn]] void fail(const char* what, std::error_code code, std::string_view text) const;

    std::string host_;
    std::unique_ptr<chunk> returned_;  // decrypted bytes of cancelled reads (pushback.hpp)
    background_flush* background_ = nullptr;
    std::uint64_t bytes_sent_ = 0;
    std::uint8_t fruitless_ = 0;  // buffers that have come since something was decrypted, up to 2
    bool closed_ = false;
    bool lost_bytes_ = false;  // there was no memory to give back what a cancelled read had taken
    bool broken_ = false;      // a send was cut off midway
    leat::detail::one_user reader_;
    leat::detail::one_user writer_;
};

// The state of a stream over this transport.
template <leat::stream Transport>
class stream_state_over final : public stream_state {
public:
    stream_state_over(Transport below, const context& shared, std::string_view host)
        : stream_state(shared, host), transport(std::move(below)) {}

    Transport transport;

private:
    task<> flush() override {
        while (!session_.output().empty()) {
            if (sending_.busy()) {
                co_await sending_.freed();
                continue;
            }
            const direction::turn mine(sending_);
            while (!session_.output().empty()) {
                const std::size_t sent = co_await transport.send(session_.output());
                session_.consume(sent);
            }
        }
    }

    bool try_flush() override {
        if constexpr (requires { transport.try_send(session_.output()); }) {
            std::size_t sent = 1;
            while (sent != 0 && !session_.output().empty()) {
                sent = transport.try_send(session_.output());
                session_.consume(sent);
            }
            return true;
        } else {
            return false;
        }
    }

    task<> fetch() override {
        if (receiving_.busy()) {
            co_await receiving_.freed();
        } else {
            const direction::turn mine(receiving_);
            chunk arrived = co_await transport.recv_chunk();
            take_input(std::move(arrived));
        }
    }

    task<> end_transport() override { return leat::detail::end_sending(transport); }

    void close_transport() noexcept override { transport.close(); }
    void reset_transport() noexcept override { reset_or_close(transport); }

    void detach_transport() override {
        if constexpr (requires { transport.detach(); }) {
            transport.detach();
        }
    }

    std::string transport_peer() const override {
        if constexpr (requires { transport.remote_endpoint().to_string(); }) {
            return transport.remote_endpoint().to_string();
        } else {
            return {};
        }
    }
};

}  // namespace leat::tls::detail
