// SPDX-License-Identifier: MIT
// stream: what a byte stream can do, whether it is TCP, TLS, a pipe or in memory. Code that reads and writes
// bytes uses the concept. This file also has the error codes of streams.
#pragma once

#include <leat/bytes.hpp>
#include <leat/check.hpp>
#include <leat/chunk.hpp>
#include <leat/task.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

enum class stream_errc {
    end_of_stream = 1,  // the peer finished sending before all that was asked for had arrived
    broken,             // an earlier send_all was cut off midway: what the peer has got is unknown
    closed,             // the stream has been closed on this side
};

[[nodiscard]] const std::error_category& stream_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(stream_errc code) noexcept {
    return {static_cast<int>(code), stream_category()};
}

namespace detail {

// For recv of every stream: without room it could only give 0, and that is the end.
inline void check_room(std::size_t size) noexcept {
    check(size != 0, "recv was given an empty buffer: the 0 that it would give means the end of the stream");
}

// For unread of every stream: what waits already would not see the bytes, or see them behind later ones.
inline void check_no_receiver(bool receives) noexcept {
    check(!receives, "bytes are given back to a stream while no task receives from it");
}

// What recv_exactly throws when it has got a part: that many bytes are in the buffer.
class cut_short : public std::system_error {
public:
    // The text is as "recv from 127.0.0.1:8001: 2 of 7 bytes arrived".
    cut_short(std::error_code why, std::string_view what, std::size_t arrived, std::size_t asked);
    // Rethrows this, which is being handled, as that of a receive that had `before` bytes already. Without
    // memory for the text as it is.
    [[noreturn]] void rethrow_behind(std::size_t before) const;

private:
    std::size_t what_size_;
    std::size_t arrived_;
    std::size_t asked_;
};

}  // namespace detail

// The receiving half of a byte stream, such as the reading end of a pipe.
template <typename S>
concept receive_stream = std::movable<S> && requires(S& s, byte_buffer into) {
    s.recv(into);          // co_await gives std::size_t: at least 1 byte, or 0 at the end. `into` has room
    s.recv_exactly(into);  // fills the buffer, which may have no room, or throws end_of_stream, and what has
                           // arrived is in the buffer; after std::bad_alloc the next receive sees it
    s.recv_chunk();        // gives a chunk: some bytes, or an empty one at the end
    s.close();             // at once, without waiting
};

// The sending half.
template <typename S>
concept send_stream = std::movable<S> && requires(S& s, byte_view from) {
    s.send(from);      // co_await gives std::size_t: the number of bytes taken
    s.send_all(from);  // all of it
    s.close();         // at once, without waiting
};

// A byte stream in both directions. One task may receive while another sends; two that receive (or two
// that send) at the same time are misuse.
template <typename S>
concept stream = receive_stream<S> && send_stream<S> && requires(S& s) {
    s.shutdown_send();  // no more will be sent; the peer sees the end
};

// A stream that can also be given up: it closes, and the peer hears of an error (over TCP
// errc::connection_reset) in place of an end. What was sent and has not arrived may be lost.
template <typename S>
concept resettable_stream = stream<S> && requires(S& s) {
    {
        s.reset()
    } noexcept;  // at once, without waiting; operations in flight and later ones fail as for close()
};

// A receiving half that takes bytes back, such as those of the next message. All streams of leat do.
template <typename S>
concept pushback_stream = receive_stream<S> && requires(S& s, chunk bytes) {
    // The next receive gets `bytes` first. At once. Misuse while a task receives. Throws std::bad_alloc, or
    // stream_errc::closed; then nothing has changed, `bytes` neither.
    s.unread(std::move(bytes));
};

// Gives `s` up: by reset(), or by close() where it has none.
template <send_stream S>
void reset_or_close(S& s) noexcept {
    if constexpr (requires { s.reset(); }) {
        s.reset();
    } else {
        s.close();
    }
}

namespace detail {

// What a send_all of several pieces takes, where templates end.
using byte_pieces = std::array<std::span<const std::byte>, 4>;

// shutdown_send() of `s`, be it a task or a call.
template <typename S>
task<> end_sending(S& s) {
    if constexpr (std::is_void_v<decltype(s.shutdown_send())>) {
        s.shutdown_send();
        co_return;
    } else {
        co_await s.shutdown_send();
    }
}

}  // namespace detail

}  // namespace leat

template <>
struct std::is_error_code_enum<leat::stream_errc> : std::true_type {};
