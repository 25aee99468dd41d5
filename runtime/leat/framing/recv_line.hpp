// SPDX-License-Identifier: MIT
// recv_line and recv_until: one line, or what stands before a delimiter, from a stream that others read as
// well. What follows stays in the stream. A buffered_reader reads many lines with less work.
//
//   const auto greeting = co_await leat::recv_line(peer);
#pragma once

#include <leat/framing/core/recv_behind.hpp>
#include <leat/framing/limit.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat {

namespace detail {

// What is read from a stream and is not the caller's goes back to it. Without memory for that, or for the
// text of a line that has come, or if it takes nothing back, it is closed: it would go on behind a gap.
template <pushback_stream Stream>
struct given_back {
    explicit given_back(Stream& of) noexcept : from(of) {}
    given_back(const given_back&) = delete;
    given_back& operator=(const given_back&) = delete;
    ~given_back() {
        try {
            held.join();
            from.unread(held.take_chunk());
        } catch (const std::system_error& refused) {
            if (refused.code() != stream_errc::closed) {  // an any_stream of one that takes nothing back
                from.close();
            }
        } catch (const std::bad_alloc&) {
            from.close();
        }
    }
    Stream& from;
    held_bytes held;
};

template <pushback_stream Stream>
task<std::optional<std::string>> recv_part(Stream& from, wanted asked) {
    given_back rest(from);
    part found;
    for (bool ended = false; found.is == part::state::missing; found = rest.held.find(asked, ended)) {
        chunk more = co_await recv_chunk_behind(from, rest.held);
        ended = more.empty();
        rest.held.add(std::move(more));
    }
    std::optional<std::string> text;
    if (found.is == part::state::there) {
        text.emplace(rest.held.text().substr(found.begin, found.size));
        rest.held.drop(found.whole);
    }
    co_return text;
}

}  // namespace detail

// co_await gives std::optional<std::string>: the next line of `from`, which stays alive, without its "\n" or
// "\r\n", or nothing at the end. What follows stays in the stream. A line of more than `limit` bytes throws
// framing_errc::too_long. Bytes behind the last newline are the last line; with last_line::must_end they
// throw stream_errc::end_of_stream. Cancelled or failed: the next read sees every byte. Without memory to
// give back what is not the line's, the stream is closed, also behind a line that has been given.
template <pushback_stream Stream>
[[nodiscard]] task<std::optional<std::string>> recv_line(Stream& from, std::size_t limit = framing_limit,
                                                         last_line last = last_line::may_be_open) {
    return detail::recv_part(from, detail::wanted_line(limit, last == last_line::may_be_open));
}

// The same for what stands before the next `delimiter`, which has any length but 0 and stays alive. An end
// of the stream before the delimiter, but behind other bytes, throws stream_errc::end_of_stream.
template <pushback_stream Stream>
[[nodiscard]] task<std::optional<std::string>> recv_until(Stream& from, std::string_view delimiter,
                                                          std::size_t limit = framing_limit) {
    return detail::recv_part(from, detail::wanted_until(delimiter, limit));
}

}  // namespace leat
