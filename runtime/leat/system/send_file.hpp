// SPDX-License-Identifier: MIT
// send_file: a part of a file, sent on a stream in pieces, so that neither the memory nor the loop is held up
// however large it is. For every stream: TCP, TLS, a pipe, any_stream.
//
//   const auto about = co_await page.info();
//   co_await leat::send_file(peer, page, 0, about.size);
#pragma once

#include <leat/send_all.hpp>
#include <leat/stream.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace leat {

namespace detail {

// What is left of a part of a file, one piece after the other, all in one buffer.
class file_pieces {
public:
    // Of what is in memory such a piece is read at once, also where there is no kernel to do it.
    static constexpr std::size_t piece_max = 256 * 1024;

    file_pieces(file& from, std::uint64_t offset, std::uint64_t size, std::size_t piece = piece_max);

    [[nodiscard]] bool over() const noexcept { return done_ == size_; }
    // The next bytes, at least one, which the call after this replaces. Throws what read_at throws, and
    // stream_errc::end_of_stream, saying how much there was, when the file is shorter.
    [[nodiscard]] task<std::span<const std::byte>> next();

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
    detail::file_pieces pieces(from, offset, size);
    detail::part_sent<Stream> part(to, static_cast<std::size_t>(size));
    while (!pieces.over()) {
        const std::span<const std::byte> piece = co_await pieces.next();
        co_await to.send_all(piece);
        part.sent += piece.size();
    }
}

}  // namespace leat
