// SPDX-License-Identifier: MIT
// text: what views show of what strangers say. Names of files, URLs and servers' words may hold anything;
// what these functions give leaves a terminal alone and is one line of UTF-8.
#pragma once

#include <fetch/engine/transfer.hpp>

#include <leat/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fetch {

// With '?' for each control character, each that changes the direction of the text around it, each line
// separator and each byte that is no UTF-8; without Unicode also for each character beyond ASCII.
[[nodiscard]] std::string printable(std::string_view text, bool unicode = true);

// "waiting", "asking" ...: in the events of --json, and in the report.
[[nodiscard]] std::string_view name_of(transfer_state state) noexcept;

// Why it has failed: one line with the URL, and how often it was tried.
[[nodiscard]] std::string failure_line(const transfer& of, bool unicode = true);

// "999 B", "1.2 kB", "34 MB", "1.2 GB": of at most 6 columns, in powers of 1000.
[[nodiscard]] std::string amount_text(std::uint64_t bytes);
// "0.4 s", "59 s", "1:59", "1:02:03", "12 d".
[[nodiscard]] std::string time_text(leat::duration length);
// With this many digits after the point.
[[nodiscard]] std::string seconds_text(leat::duration length, int digits);

}  // namespace fetch
