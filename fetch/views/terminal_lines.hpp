// SPDX-License-Identifier: MIT
// terminal_lines: the lines that terminal_view draws, each at most as wide as the terminal. No control
// characters but those of colours.
#pragma once

#include <fetch/engine/observer.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

// What a terminal can show.
struct terminal_form {
    bool unicode = false;
    bool colours = false;
};

// By the environment: LC_ALL, LC_CTYPE and LANG; NO_COLOR (no-color.org) and TERM.
[[nodiscard]] terminal_form terminal_form_of_environment();
// Whether it is a terminal whose cursor can be moved.
[[nodiscard]] bool can_draw_on(int descriptor);

// Only colours that can be read on a dark and on a light background.
enum class colour : std::uint8_t { red, green };
[[nodiscard]] std::string painted(std::string_view text, colour with, const terminal_form& form);

// A transfer under way. `rate` is in bytes a second.
[[nodiscard]] std::string transfer_line(const transfer& of, std::optional<double> rate, std::size_t columns,
                                        const terminal_form& form);
// Those that had no room.
[[nodiscard]] std::string more_line(std::size_t receiving, std::size_t waiting, std::size_t columns);
// `left` is the time until the end.
[[nodiscard]] std::string all_line(const run_totals& totals, std::optional<double> rate,
                                   std::optional<leat::duration> left, std::size_t columns);
// One that has ended well. It may be longer than a line: it stays, and is complete.
[[nodiscard]] std::string ended_line(const transfer& of, const terminal_form& form);

}  // namespace fetch
