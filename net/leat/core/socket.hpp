// SPDX-License-Identifier: MIT
// socket: an open socket and what awaiting an operation on it means. tcp, udp and unix are built on it.
// Invariant: the descriptor is retired through the backend when the owner closes it or dies; the small
// state lives until the last operation on it has ended, also one that has not been awaited yet.
#pragma once

#include <leat/bytes.hpp>
#include <leat/core/descriptor_owner.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/reference.hpp>
#include <leat/endpoint.hpp>
#include <leat/io.hpp>
#include <leat/stream.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace leat {

namespace detail {

// Shared by a socket and its operations. It is made before the descriptor is: then no descriptor is without
// an owner for want of memory.
struct socket_state : descriptor_owner, frame_pool::allocated {
    // No task waits on it. Received bytes stay, and the next operation may come from another run, also on
    // another thread. Misuse in a run that it does not belong to. Throws std::bad_alloc.
    void detach();
    // Misuse in another run than the one it belongs to.
    void check_used_at_home() const noexcept;
    void close() noexcept;
    void reset() noexcept;

    // Bytes that a cancelled read had taken: the next read sees them first.
    [[nodiscard]] chunk take_returned() noexcept;

    // What the kernel takes of them at once; nothing after a failure, which the next send tells.
    [[nodiscard]] std::size_t try_send(std::span<const std::byte> bytes);
    // The same of a part of the file that has this descriptor.
    [[nodiscard]] std::size_t try_send_file(int file, std::uint64_t offset, std::size_t size);

    // No byte, no end and no error is there to be received.
    [[nodiscard]] bool is_quiet() const noexcept;
    // A task waits for bytes. (Not who only waits for readable().)
    [[nodiscard]] bool has_receiver() const noexcept;

    // As errors name it: "127.0.0.1:8001", a path, or "a peer without a name".
    [[nodiscard]] std::string peer_name() const;

    // Of what was tried.
    [[nodiscard]] std::size_t count_sent(const result<std::size_t>& sent) noexcept;

    bool of_unix = false;  // as operation::of_unix says
    bool send_broken = false;
    bool has_name : 1 = false;   // it is a named_socket_state
    bool watched : 1 = false;    // by an idle_watch
    bool coalesces : 1 = false;  // the kernel may give several datagrams as one
    std::uint32_t references = 1;
    endpoint remote;  // of a peer of IP
    std::uint64_t bytes_sent = 0;

    void destroy() noexcept;  // for reference.hpp
};

// Of a socket whose peer is of the Unix family and has a name.
struct named_socket_state : socket_state {
    explicit named_socket_state(std::string of_peer) : name(std::move(of_peer)) { has_name = true; }
    std::string name;
};

// An operation on a socket. It keeps the state alive, not the socket open: which descriptor that has, and
// whether it is open, is looked up when the wait begins.
struct socket_operation : operation {
    socket_operation(const wait_kind& what, operation_kind asked, socket_state& on) noexcept
        : operation(what, asked, -1) {
        add_reference(on);
        owner = &on;
        of_unix = on.of_unix;
    }
    socket_operation(socket_operation&& fresh) noexcept : operation(std::move(fresh)) {
        add_reference(socket());
    }
    ~socket_operation() { drop_reference(socket()); }

    [[nodiscard]] socket_state& socket() const noexcept { return static_cast<socket_state&>(*owner); }
    [[nodiscard]] bool closed() const noexcept { return owner->descriptor < 0; }

    // Beside errno values, what a result may say without asking the kernel.
    static constexpr std::int64_t is_closed = -10'001;
    static constexpr std::int64_t is_broken = -10'002;

    // Submits it, unless the socket is closed. True: it has ended.
    bool begin() {
        descriptor = owner->descriptor;
        return descriptor >= 0 ? this_thread.loop->io().submit(*this) : end_with(is_closed);
    }
    // It has ended with `code`, without asking the kernel.
    bool end_with(std::int64_t code) noexcept {
        result = code;
        return true;
    }
    // What it failed with.
    [[nodiscard]] std::error_code error() const noexcept;
    // The bytes that it has moved, or error().
    [[nodiscard]] leat::result<std::size_t> count() const noexcept {
        return result >= 0 ? count_of(*this) : leat::result<std::size_t>(error());
    }
    // For a receive: after a reset that another operation was told of there is no end of the stream. (A peer
    // that ended before it reset gives senders EPIPE, not ECONNRESET: tcp_reset() of Linux.)
    void end_by_reset(bool at_end) noexcept {
        if (at_end && owner->ended_by != 0) {
            result = -owner->ended_by;
        }
    }
    // Of a receive that has ended: throws its error.
    void check_received() {
        if (result <= 0) [[unlikely]] {
            end_by_reset(result == 0);
            if (result < 0) {
                fail("recv from ");
            }
        }
    }
    // Throws error() as "recv from 127.0.0.1:8001: Connection reset by peer".
    [[noreturn]] void fail(const char* what) const;
};

// Awaits it. take_now() is also what begins it anew (wait_kind::begin), as the state that it looks at before
// it asks the kernel may have changed since a cancelled one has ended. (Of recv_exactly: begin_anew(), which
// keeps what it has got.)
template <typename Self>
using socket_awaiter = leaf_awaiter<Self, socket_operation>;

}  // namespace detail

// co_await gives std::size_t: the bytes received; at least one, or 0 at the end of the stream. The buffer
// stays alive and untouched until then; an empty one is misuse. Cancelled: nothing was taken from the stream.
class [[nodiscard]] recv_awaiter : public detail::socket_awaiter<recv_awaiter> {
public:
    recv_awaiter(detail::socket_state& socket, byte_buffer into) noexcept
        : leaf_awaiter(kind, operation_kind::recv, socket) {
        buffer = into.data();
        length = into.size();
    }
    bool take_now() { return length == 0 || owner->returned != nullptr ? take_returned() : begin(); }
    leat::result<std::size_t> take() noexcept {
        end_by_reset(operation::result == 0);
        return count();
    }
    [[nodiscard]] std::size_t await_resume() {
        check_received();
        return static_cast<std::size_t>(operation::result);
    }

private:
    static const wait_kind kind;
    bool take_returned();
};

// co_await fills the buffer, or throws stream_errc::end_of_stream, or another error, saying how much arrived;
// that is in the buffer. Without memory to say so it throws std::bad_alloc, and what had arrived is given
// back to the stream, which is closed if there is no memory for that either. Cancelled: what had arrived is
// given back, and the next read sees it. Without memory for that it throws std::errc::not_enough_memory
// instead, and what had arrived is in the buffer.
class [[nodiscard]] recv_exactly_awaiter : public detail::socket_awaiter<recv_exactly_awaiter> {
public:
    recv_exactly_awaiter(detail::socket_state& socket, byte_buffer into) noexcept
        : leaf_awaiter(whole_kind, operation_kind::recv, socket), whole_(into) {
        whole = true;
    }
    bool take_now();
    leat::result<void> take() noexcept;
    void await_resume();

private:
    static bool give_up(wait& self) noexcept;
    static const wait_kind whole_kind;
    bool begin_anew();
    void take_returned() noexcept;
    void give_back(std::size_t arrived);
    [[noreturn]] void fail_short(std::error_code why, std::size_t arrived);

    byte_buffer whole_;
    std::size_t before_ = 0;  // bytes that had been given back to the stream
};

// co_await gives a chunk: at least one byte in a leased buffer, or an empty one at the end of the stream.
// Cancelled: nothing was taken from the stream.
class [[nodiscard]] recv_chunk_awaiter : public detail::socket_awaiter<recv_chunk_awaiter> {
public:
    explicit recv_chunk_awaiter(detail::socket_state& socket) noexcept
        : leaf_awaiter(kind, operation_kind::recv_chunk, socket) {}
    bool take_now() { return owner->returned == nullptr || closed() ? begin() : end_with_returned(); }
    leat::result<chunk> take() noexcept {
        end_by_close();
        end_by_reset(operation::result == 0);
        return operation::result >= 0 ? leat::result<chunk>(given()) : leat::result<chunk>(error());
    }
    chunk await_resume() {
        end_by_close();
        check_received();
        return given();
    }

private:
    static const wait_kind kind;

    [[gnu::noinline]] bool end_with_returned() noexcept {
        return end_with(static_cast<std::int64_t>(owner->returned->size()));
    }
    // Bytes that had been given back go with the socket, if it is closed before this task's turn has come.
    void end_by_close() noexcept {
        if (pool == nullptr && operation::result > 0 && owner->returned == nullptr) [[unlikely]] {
            operation::result = is_closed;
        }
    }
    // The buffer of the kernel's bytes, or the bytes that had been given back.
    chunk given() noexcept {
        if (pool == nullptr) [[unlikely]] {
            return operation::result == 0 ? chunk() : socket().take_returned();
        }
        return received();
    }
};

// co_await gives std::size_t: the bytes that the kernel took, at least one unless there were none. The
// bytes stay alive and unchanged until then. Cancelled: nothing was sent.
class [[nodiscard]] send_awaiter : public detail::socket_awaiter<send_awaiter> {
public:
    send_awaiter(detail::socket_state& socket, byte_view from) noexcept
        : leaf_awaiter(kind, operation_kind::send, socket) {
        buffer = const_cast<std::byte*>(from.data());
        length = from.size();
    }
    send_awaiter(send_awaiter&&) noexcept = default;
    ~send_awaiter() { account(); }
    bool take_now() { return length != 0 && !socket().send_broken ? begin() : end_early(); }
    leat::result<std::size_t> take() const noexcept { return count(); }
    [[nodiscard]] std::size_t await_resume() const {
        if (operation::result < 0) [[unlikely]] {
            fail("send to ");
        }
        return static_cast<std::size_t>(operation::result);
    }

protected:
    using leaf_awaiter::leaf_awaiter;
    static const wait_kind kind;

private:
    bool end_early() noexcept;
    static bool give_up(wait& self) noexcept;
    // Runs once, when the send has ended or never began. What was transferred counts however it ended.
    void account() noexcept {
        if (operation::result >= 0 && end == wait_end::finished) [[likely]] {
            socket().bytes_sent += static_cast<std::uint64_t>(operation::result);
        } else if (transferred > 0) {
            socket().bytes_sent += static_cast<std::uint64_t>(transferred);
            socket().send_broken = true;
        }
    }
};

// co_await sends all the bytes. Cancelled at zero bytes: nothing was sent. Cancelled or failed midway:
// bytes_sent() of the stream tells how much went out, and later sends fail with stream_errc::broken.
class [[nodiscard]] send_all_awaiter : public send_awaiter {
public:
    send_all_awaiter(detail::socket_state& socket, byte_view from) noexcept : send_awaiter(socket, from) {
        whole = true;
    }
    leat::result<void> take() const noexcept;
    void await_resume() const { (void)send_awaiter::await_resume(); }

protected:
    using send_awaiter::send_awaiter;
};

// The same for several pieces, in order, in one system call where they fit.
template <std::size_t Count>
class [[nodiscard]] send_pieces_awaiter : public send_all_awaiter {
public:
    template <typename... Pieces>
    explicit send_pieces_awaiter(detail::socket_state& socket, const Pieces&... pieces) noexcept
        : send_all_awaiter(kind, operation_kind::send_vectors, socket),
          pieces_{iovec{const_cast<std::byte*>(pieces.data()), pieces.size()}...} {
        length = Count;
        whole = true;
    }
    bool await_ready() {
        vectors = pieces_;
        return send_all_awaiter::await_ready();
    }

private:
    iovec pieces_[Count];
};

}  // namespace leat
