// SPDX-License-Identifier: MIT
// resume_note: what is known of a file that is not whole, as text in a file beside it: whose bytes it has,
// and which of them can be trusted by a later run. Written and read by output_file.
//
//   leat-fetch note 1
//   url https://example.org/x
//   etag "5f-1a"
//   last-modified Tue, 01 Dec 2026 10:00:00 GMT
//   size 1048576
//   boot 6a4b1d1e-...
//   written all
//   synced 0-262144
//   end 9c1185a5c5e9fc54
//
// A process that dies loses nothing that it has written; a machine that stops loses what is not synced. So of
// the same boot all that was written counts, of another one what was synced. The last line has a sum of those
// before it: a note that was written in part is none. What is behind it does not count, so that a note is
// written over an older one.
#pragma once

#include <fetch/files/byte_ranges.hpp>
#include <fetch/files/file_origin.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fetch {

struct resume_note {
    file_origin origin = {};
    std::string boot = {};  // the identity of the machine's boot; empty: not known
    // Empty: all that the file has. Ranges are in order and apart, as those below.
    std::optional<std::vector<byte_range>> written = {};
    std::vector<byte_range> synced = {};

    friend bool operator==(const resume_note&, const resume_note&) = default;
};

inline constexpr std::size_t longest_note = 64 * 1024;

// Of very many ranges the first ones. Nothing for one that would not be read again: too long, or with control
// characters.
[[nodiscard]] std::optional<std::string> text_of(const resume_note& told);
// Nothing for what is no note, or not a whole one.
[[nodiscard]] std::optional<resume_note> read_note(std::string_view text);

// Which bytes can be trusted, of a file of `length` bytes, by a run in this `boot`.
[[nodiscard]] byte_ranges trusted(const resume_note& of, std::uint64_t length, std::string_view boot);

}  // namespace fetch
