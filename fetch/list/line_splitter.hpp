// SPDX-License-Identifier: MIT
// line_splitter: the lines of a text that comes in pieces, each as soon as its end is there: LF, CR LF or CR.
// The readers of lists use it. A line that lies in one piece is not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

class line_splitter {
public:
    // Of a line without its end, in bytes: of a longer one only the first `longest` are kept.
    explicit line_splitter(std::size_t longest) noexcept : longest_(longest) {}

    struct line {
        std::string_view text;     // until the next call
        std::uint64_t number = 0;  // from 1
        bool too_long = false;
    };

    // Goes on with these bytes, which stay until next() gives nothing, as it has for those before.
    void add(std::string_view bytes) noexcept;
    // The next line; nothing: more bytes are needed.
    [[nodiscard]] std::optional<line> next();
    // What stands behind the last end of a line; nothing when that is nothing. No bytes come any more.
    [[nodiscard]] std::optional<line> last();

private:
    [[nodiscard]] std::size_t end_of_line() noexcept;
    void hold(std::string_view text);
    void forget_given() noexcept;
    [[nodiscard]] line made_of(std::string_view text) noexcept;

    std::size_t longest_;
    std::string_view bytes_;
    std::size_t at_ = 0;         // where the line begins in bytes_
    std::size_t line_feed_ = 0;  // where the next one of each kind is in bytes_, if it is not before at_
    std::size_t carriage_return_ = 0;
    std::string held_;    // of the line, what came before bytes_
    bool given_ = false;  // held_ is a line that has been given
    bool too_long_ = false;
    bool after_carriage_return_ = false;  // a line feed belongs to it
    std::uint64_t number_ = 0;
};

}  // namespace fetch
