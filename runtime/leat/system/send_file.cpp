// SPDX-License-Identifier: MIT
#include <leat/system/send_file.hpp>

#include <algorithm>
#include <system_error>

namespace leat::detail {

file_pieces::file_pieces(file& from, std::uint64_t offset, std::uint64_t size, std::size_t piece)
    : from_(from),
      offset_(offset),
      size_(size),
      room_(static_cast<std::size_t>(std::min<std::uint64_t>(size, piece))) {}

task<std::span<const std::byte>> file_pieces::next() {
    if (buffer_ == nullptr) {
        buffer_.reset(new std::byte[room_]);
    }
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room_, size_ - done_));
    const std::size_t size = co_await from_.read_at(offset_ + done_, std::span(buffer_.get(), wanted));
    if (size == 0) {
        throw cut_short(stream_errc::end_of_stream, "send " + from_.path(), static_cast<std::size_t>(done_),
                        static_cast<std::size_t>(size_));
    }
    done_ += size;
    co_return std::span<const std::byte>(buffer_.get(), size);
}

}  // namespace leat::detail
