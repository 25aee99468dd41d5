// SPDX-License-Identifier: MIT
// part: where a line, a message or a number of bytes stands at the front of the bytes that have been
// received; and wanted, what is looked for.
#pragma once

#include <leat/clock.hpp>
#include <leat/framing/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat {

class message_format;

namespace detail {

struct part {
    enum class state : std::uint8_t {
        missing,  // more bytes are needed
        there,
        ended,    // the stream has ended, and nothing stands before its end
        refused,  // no byte that may still come makes it right
    };

    static part missing_after(std::size_t searched) noexcept { return {.searched = searched}; }
    static part at(std::size_t begin, std::size_t size, std::size_t behind) noexcept {
        return {.is = state::there, .begin = begin, .size = size, .whole = begin + size + behind};
    }
    static part refused_for(framing_errc why, std::size_t size) noexcept {
        return {.is = state::refused, .why = why, .size = size};
    }

    state is = state::missing;
    framing_errc why = {};
    std::size_t begin = 0;     // of what is given
    std::size_t size = 0;      // of that. Refused: how long it would have been, or where the wrong byte is
    std::size_t whole = 0;     // with what stands before and behind it
    std::size_t searched = 0;  // missing: the delimiter does not begin before this
};

struct wanted {
    enum class what : std::uint8_t { line, whole_line, until, exactly, message };

    what is = what::exactly;
    std::size_t size = 0;             // exactly so many bytes, or the limit
    std::string_view delimiter = {};  // of a line, or what is read until
    const message_format* format = nullptr;
};

// `open`: the last line of a stream may end without a newline.
[[nodiscard]] wanted wanted_line(std::size_t limit, bool open) noexcept;
[[nodiscard]] wanted wanted_until(std::string_view delimiter, std::size_t limit) noexcept;

// Where `delimiter` stands in `held`, behind at most `limit` bytes, if it does not begin before `searched`.
// Bytes that were searched are not looked at again, but for the last ones that may begin it.
[[nodiscard]] part part_until(std::string_view delimiter, std::size_t limit, std::string_view held,
                              std::size_t searched) noexcept;

// Looks for `asked` at the front of `held`.
[[nodiscard]] part look_for(const wanted& asked, std::string_view held, std::size_t searched) noexcept;
// The same when no more will come. Throws stream_errc::end_of_stream if it ends too early.
[[nodiscard]] part last_of(const wanted& asked, std::string_view held);
// Throws timed_out: nothing was received for so long.
[[noreturn]] void fail_idle(duration idle);
// Throws what a refused one is refused for.
[[noreturn]] void refuse(const wanted& asked, const part& refused, std::string_view held);

}  // namespace detail

}  // namespace leat
