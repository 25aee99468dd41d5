// SPDX-License-Identifier: MIT
// socket_stream: a byte stream over a socket of any family, the base of tcp_stream and unix_stream.
// socket_listener is the base of their listeners.
// Invariant: an open owner has a socket of its own, which no other code closes.
#pragma once

#include <leat/core/socket.hpp>
#include <leat/core/socket_owner.hpp>
#include <leat/framing/core/part.hpp>
#include <leat/framing/limit.hpp>
#include <leat/task.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sys/socket.h>

namespace leat {

class file;

}  // namespace leat

namespace leat::detail {

// See the awaiters in socket.hpp for what each operation gives, when it completes and what cancelling it
// means.
class socket_stream : public socket_owner {
public:
    // Receives some bytes, or exactly as many as fit, or some in a leased buffer.
    recv_awaiter recv(byte_buffer into) noexcept { return {state(), into}; }
    recv_exactly_awaiter recv_exactly(byte_buffer into) noexcept { return {state(), into}; }
    recv_chunk_awaiter recv_chunk() noexcept { return recv_chunk_awaiter(state()); }

    // The next line, or what stands before the next delimiter, as recv_line and recv_until of
    // <leat/framing/recv_line.hpp> give it. What follows stays in the stream, which stays where it is.
    [[nodiscard]] task<std::optional<std::string>> recv_line(std::size_t limit = framing_limit);
    [[nodiscard]] task<std::optional<std::string>> recv_until(std::string_view delimiter,
                                                              std::size_t limit = framing_limit);
    // The next receive gets `bytes` first. Misuse while a task receives. Throws std::bad_alloc, or
    // stream_errc::closed; then nothing has changed, `bytes` neither.
    void unread(chunk&& bytes);

    // Sends some bytes, or all of them.
    send_awaiter send(byte_view from) noexcept { return {state(), from}; }
    send_all_awaiter send_all(byte_view from) noexcept { return {state(), from}; }
    template <typename... More>
        requires(sizeof...(More) > 0)
    send_pieces_awaiter<1 + sizeof...(More)> send_all(byte_view first, const More&... more) noexcept {
        return send_pieces_awaiter<1 + sizeof...(More)>(state(), first, byte_view(more)...);
    }
    // Sends what the kernel takes of them at once, and gives the number of bytes: perhaps none, also when the
    // connection has failed, which the next send tells. Not while another send waits: it would overtake that.
    [[nodiscard]] std::size_t try_send(byte_view from) { return state().try_send(from); }
    // The same of a part of a file, which does not pass through the program (sendfile(2)): where that is in
    // memory, which Linux 6.5 tells of files that one owns or may write. send_file() does the rest, too.
    [[nodiscard]] std::size_t try_send_file(const file& from, std::uint64_t offset, std::size_t size);
    // What has been handed to the kernel on this stream so far.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return state().bytes_sent; }

    // Whether a receive would have to wait: no byte, no end and no error is there. Only a look.
    [[nodiscard]] bool is_quiet() const noexcept { return state().is_quiet(); }

    // The peer sees the end after what was sent; receiving goes on. Throws std::system_error.
    void shutdown_send();

    // Operations in flight end with operation_canceled, and the descriptor closes. Later operations fail with
    // stream_errc::closed, those that were made before, too. If bytes have arrived that were not read, the
    // peer of a TCP connection sees a reset, and what is unsent is dropped: shutdown_send() and reading to
    // the end before it avoid that. A process that has a duplicate of the socket keeps the connection, but
    // not the bytes that leat had received ahead.
    void close() noexcept { state().close(); }
    // Closes; the peer of a TCP connection sees a reset in place of an end, and what is unsent is dropped.
    // The Unix domain knows no reset: its peer sees the end after what was sent.
    void reset() noexcept { state().reset(); }
    // Detaches the stream from its run: the next operation, or close(), may come from another run, also on
    // another thread. Bytes that have arrived are read there. No task may wait on it now. remote.spawn and
    // thread_channel detach a stream that is given to them by itself, and the end of a run detaches those
    // that outlive it. Throws std::bad_alloc.
    void detach() { state().detach(); }
    [[nodiscard]] bool is_open() const noexcept { return has_descriptor(); }

    // SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles them.
    void set_send_buffer(int size) { set_option(SOL_SOCKET, SO_SNDBUF, size); }
    void set_recv_buffer(int size) { set_option(SOL_SOCKET, SO_RCVBUF, size); }
    // setsockopt(2) with an int. Throws std::system_error.
    void set_option(int level, int name, int value);
    // The descriptor, for what leat does not offer; -1 when closed. It stays this stream's. Code that reads
    // from it misses what the stream has received already; see readable() in io.hpp.
    [[nodiscard]] int native_handle() const noexcept { return state().descriptor; }

    // For recv_line and the like (recv_part.hpp).
    friend task<std::optional<std::string>> recv_part(socket_stream& from, wanted asked) {
        return from.recv_part(asked);
    }

protected:
    friend struct socket_access;

    socket_stream() noexcept = default;
    // `made` has no other owner.
    explicit socket_stream(socket_state& made) noexcept : socket_owner(made) {}

    [[nodiscard]] socket_state& state() const noexcept {
        return state_or("the stream was moved from, or never opened");
    }

private:
    task<std::optional<std::string>> recv_part(wanted asked);
};

// The socket below a stream, for who watches it without the stream's help; null where there is none.
struct socket_access {
    template <typename Stream>
    static constexpr bool has_socket() noexcept {
        if constexpr (requires(Stream& stream) { stream.transport(); }) {
            return has_socket<std::remove_cvref_t<decltype(std::declval<Stream&>().transport())>>();
        } else {
            return std::derived_from<Stream, socket_stream>;
        }
    }

    template <typename Stream>
    static socket_state* of(Stream& stream) noexcept {
        if constexpr (std::derived_from<Stream, socket_stream>) {
            return &static_cast<socket_stream&>(stream).state();
        } else if constexpr (has_socket<Stream>()) {
            return of(stream.transport());
        } else {
            return nullptr;
        }
    }
};

class socket_listener : public socket_owner {
public:
    // A pending accept ends with operation_canceled; connections in the queue are reset. What it was bound to
    // is free when this returns.
    void close() noexcept { state().close(); }
    // As that of a stream.
    void detach() { state().detach(); }
    [[nodiscard]] int native_handle() const noexcept { return state().descriptor; }

protected:
    socket_listener() : socket_owner(*new socket_state) {}

    [[nodiscard]] socket_state& state() const noexcept {
        return state_or("the listener was moved from, or never opened");
    }
};

}  // namespace leat::detail
