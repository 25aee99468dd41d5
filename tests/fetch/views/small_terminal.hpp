// SPDX-License-Identifier: MIT
// small_terminal: a pseudo terminal and what somebody would see on it: lines that wrap at its width and are
// wrapped anew when that changes, as most terminals do. Knows what the views write; anything else fails.
#pragma once

#include <fetch/names/utf8.hpp>
#include <fetch/views/columns.hpp>

#include <leat/fd.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace made_up {

// A line that a program has written, however many lines of the screen it takes. A cell holds a character and
// those that combine with it; the second cell of a wide one is empty.
using cells = std::vector<std::string>;

class screen {
public:
    screen(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows) {}

    void resize(std::size_t columns, std::size_t rows) {
        columns_ = columns;
        rows_ = rows;
    }
    // Returns how many bytes it has taken: not the last ones, if those are the begin of something.
    std::size_t take(std::string_view text) {
        const char* const begin = text.data();
        while (!text.empty()) {
            std::size_t size = 1;
            if (text[0] == '\x1b') {
                size = text.find_first_not_of("0123456789;[\x1b");
                if (size == std::string_view::npos) {
                    break;
                }
                obey(text[size], text.substr(2, size - 2));
                ++size;
            } else {
                const fetch::character next = fetch::first_character(text);
                if (next.size == 0 && text.size() < 4) {
                    break;
                }
                size = std::max<std::size_t>(next.size, 1);
                show(text.substr(0, size));
            }
            text.remove_prefix(size);
        }
        return static_cast<std::size_t>(text.data() - begin);
    }
    // All that was written, also what has scrolled away, in lines of the screen without spaces at their ends.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const cells& line : lines_) {
            for (std::size_t row = 0; row < rows_of(line); ++row) {
                std::string text;
                for (std::size_t at = row * columns_; at < std::min(line.size(), (row + 1) * columns_);
                     ++at) {
                    text += line[at];
                }
                text.erase(text.find_last_not_of(' ') + 1);
                all.push_back(text);
            }
        }
        return all;
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        for (const std::string& line : lines()) {
            all += line + "\n";
        }
        return all;
    }
    [[nodiscard]] std::size_t coloured() const noexcept { return coloured_; }

private:
    [[nodiscard]] std::size_t rows_of(const cells& line) const {
        return line.empty() ? 1 : (line.size() - 1) / columns_ + 1;
    }
    // After the last column the cursor stays in its line until a character follows.
    [[nodiscard]] std::size_t row_begin() const {
        return at_ == 0 ? 0 : (at_ == lines_[line_].size() ? at_ - 1 : at_) / columns_ * columns_;
    }
    void show(std::string_view one) {
        cells& line = lines_[line_];
        if (one == "\r") {
            at_ = row_begin();
        } else if (one == "\n") {
            REQUIRE(row_begin() / columns_ + 1 == rows_of(line));
            at_ = 0;
            if (++line_ == lines_.size()) {
                lines_.emplace_back();
            }
        } else {
            REQUIRE(static_cast<unsigned char>(one[0]) >= 0x20);
            const std::size_t wide = fetch::columns_of(one);
            if (wide == 0 && at_ > 0) {
                line[at_ - 1] += one;
            }
            for (std::size_t part = 0; part < wide; ++part) {
                line.resize(std::max(line.size(), at_ + 1), " ");
                line[at_++] = part == 0 ? one : "";
            }
        }
    }
    void obey(char command, std::string_view number) {
        if (command == 'A') {
            go_up(std::stoul(std::string(number)));
        } else if (command == 'J') {
            lines_.resize(line_ + 1);
            lines_[line_].resize(std::min(at_, lines_[line_].size()));
        } else if (command == 'K') {
            lines_[line_].resize(std::min(at_, lines_[line_].size()));
        } else {
            REQUIRE(command == 'm');
            ++coloured_;
        }
    }
    // The cursor is in the first column; it cannot leave the screen.
    void go_up(std::size_t count) {
        REQUIRE(at_ % columns_ == 0);
        REQUIRE(count < rows_);
        for (; count > 0; --count) {
            if (at_ > 0) {
                at_ -= columns_;
            } else if (line_ > 0) {
                --line_;
                at_ = (rows_of(lines_[line_]) - 1) * columns_;
            }
        }
    }

    std::size_t columns_;
    std::size_t rows_;
    std::vector<cells> lines_ = {{}};
    std::size_t line_ = 0;
    std::size_t at_ = 0;
    std::size_t coloured_ = 0;
};

class small_terminal {
public:
    small_terminal(std::size_t columns, std::size_t rows)
        : screen_(columns, rows), controller_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        // Some containers have no devpts.
        if (controller_ && ::grantpt(controller_.get()) == 0 && ::unlockpt(controller_.get()) == 0) {
            terminal_.reset(::open(::ptsname(controller_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
            REQUIRE(::fcntl(controller_.get(), F_SETFL, O_NONBLOCK) == 0);
            resize(columns, rows);
        }
    }
    [[nodiscard]] bool is_there() const { return static_cast<bool>(terminal_); }
    [[nodiscard]] int descriptor() const { return terminal_.get(); }
    void resize(std::size_t columns, std::size_t rows) {
        (void)seen();
        screen_.resize(columns, rows);
        const winsize size{.ws_row = static_cast<unsigned short>(rows),
                           .ws_col = static_cast<unsigned short>(columns),
                           .ws_xpixel = 0,
                           .ws_ypixel = 0};
        REQUIRE(::ioctl(terminal_.get(), TIOCSWINSZ, &size) == 0);
    }
    [[nodiscard]] const screen& seen() {
        char piece[65536];
        for (ssize_t count = 0; (count = ::read(controller_.get(), piece, sizeof piece)) > 0;) {
            written_.append(piece, static_cast<std::size_t>(count));
        }
        // What is left is the begin of a character or a sequence.
        all_ += written_.size();
        written_.erase(0, screen_.take(written_));
        all_ -= written_.size();
        return screen_;
    }
    // Bytes that were written to it.
    [[nodiscard]] std::size_t written() const noexcept { return all_; }

private:
    screen screen_;
    leat::fd controller_;
    leat::fd terminal_;
    std::string written_;
    std::size_t all_ = 0;
};

}  // namespace made_up
