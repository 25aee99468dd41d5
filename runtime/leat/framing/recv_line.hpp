// SPDX-License-Identifier: MIT
// recv_line and recv_until: one line, or what stands before a delimiter, from a stream that others read as
// well. What follows stays in the stream. A buffered_reader reads many lines with less work.
//
//   const auto greeting = co_await leat::recv_line(peer);
#pragma once

#include <leat/framing/core/recv_part.hpp>
#include <leat/framing/limit.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leat {

// co_await gives std::optional<std::string>: the next line of `from`, which stays alive, without its "\n" or
// "\r\n", or nothing at the end. What follows stays in the stream. A line of more than `limit` bytes throws
// framing_errc::too_long. Bytes behind the last newline are the last line; with last_line::must_end they
// throw stream_errc::end_of_stream. Cancelled or failed: the next read sees every byte. Without memory to
// give back what is not the line's, the stream is closed, also behind a line that has been given.
template <pushback_stream Stream>
[[nodiscard]] task<std::optional<std::string>> recv_line(Stream& from, std::size_t limit = framing_limit,
                                                         last_line last = last_line::may_be_open) {
    return detail::recv_part_of(from, detail::wanted_line(limit, last == last_line::may_be_open));
}

// The same for what stands before the next `delimiter`, which has any length but 0 and stays alive. An end
// of the stream before the delimiter, but behind other bytes, throws stream_errc::end_of_stream.
template <pushback_stream Stream>
[[nodiscard]] task<std::optional<std::string>> recv_until(Stream& from, std::string_view delimiter,
                                                          std::size_t limit = framing_limit) {
    return detail::recv_part_of(from, detail::wanted_until(delimiter, limit));
}

}  // namespace leat
