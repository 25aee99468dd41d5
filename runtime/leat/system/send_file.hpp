// SPDX-License-Identifier: MIT
// send_file: a part of a file, sent on a stream in pieces, so that neither the memory nor the loop is held up
// however large it is. For every stream: TCP, TLS, a pipe, any_stream. On a socket, what is in memory is sent
// by the kernel itself (sendfile(2)), where it tells that: Linux 6.5, of files that one owns or may write.
//
//   const auto about = co_await page.info();
//   co_await leat::send_file(peer, page, 0, about.size);
#pragma once

#include <leat/send_all.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace leat {

namespace detail {

// A stream that may take a part of a file without its bytes in a buffer.
template <typename Stream>
concept takes_files = requires(Stream& to, const file& from, std::uint64_t offset, std::size_t size) {
    to.try_send_file(from, offset, size);
};

// What is left of a part of a file, one piece after the other, all in one buffer.
class file_pieces {
public:
    // Of what is in memory such a piece is read at once, also where there is no kernel to do it.
    static constexpr std::size_t piece_max = 256 * 1024;

    // What is tried at once on a stream that takes files; and the piece that is read when it does not take
    // them now, which waits until the stream takes more.
    static constexpr std::size_t tried_max = 256 * 1024;
    static constexpr std::size_t piece_beside = 64 * 1024;

    file_pieces(file& from, std::uint64_t offset, std::uint64_t size, std::size_t piece = piece_max);

    [[nodiscard]] bool over() const noexcept { return done_ == size_; }
    // The next bytes, at least one, which the call after this replaces. Throws what read_at throws, and
    // stream_errc::end_of_stream, saying how much there was, when the file is shorter.
    [[nodiscard]] task<std::span<const std::byte>> next();
    // Lets `send(file, offset, size)` take the next bytes by itself, without a wait. Gives how many it took.
    template <typename Send>
    [[nodiscard]] std::size_t try_on(Send send) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(tried_max, size_ - done_));
        const std::size_t taken = send(from_, offset_ + done_, size);
        done_ += taken;
        return taken;
    }

private:
    file& from_;
    std::uint64_t offset_;
    std::uint64_t size_;
    std::uint64_t done_ = 0;
    std::size_t room_;
    std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace detail

// Sends `size` bytes of `from`, beginning at `offset`. Both stay alive until then, and nobody else sends on
// `to`. Throws what the file or the stream throws, and stream_errc::end_of_stream when the file has fewer
// bytes. Cancelled or failed before the first byte was sent: nothing was sent. Cancelled or failed later: the
// stream is reset, or closed if it has no reset.
template <send_stream Stream>
[[nodiscard]] task<> send_file(Stream& to, file& from, std::uint64_t offset, std::uint64_t size) {
    constexpr bool tries = detail::takes_files<Stream>;
    detail::file_pieces pieces(from, offset, size,
                               tries ? detail::file_pieces::piece_beside : detail::file_pieces::piece_max);
    detail::part_sent<Stream> part(to, static_cast<std::size_t>(size));
    while (!pieces.over()) {
        if constexpr (tries) {
            const std::size_t taken = pieces.try_on([&](const file& of, std::uint64_t at, std::size_t most) {
                return to.try_send_file(of, at, most);
            });
            part.sent += taken;
            if (taken > 0) {
                co_await yield();  // none of it waits, and others want their turn
                continue;
            }
        }
        const std::span<const std::byte> piece = co_await pieces.next();
        co_await to.send_all(piece);
        part.sent += piece.size();
    }
}

}  // namespace leat
