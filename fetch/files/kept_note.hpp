// SPDX-License-Identifier: MIT
// kept_note: what is known of a whole file: which URL its bytes are from, the server's validators, and the
// size and time that the file had then, which tell whether it was changed since. It is in the file's extended
// attribute user.leat.origin, so that it goes with the file when that is renamed or removed, and nothing
// lies beside it. For output_file and output_place, with file_settings::newer.
//
//   leat-fetch origin 1
//   url https://example.org/x
//   etag "5f-1a"
//   last-modified Tue, 01 Dec 2026 10:00:00 GMT
//   size 1048576
//   modified 1764583200000000000
//
// Where the file system has no such attributes, there is no note, and the file is as one of somebody else.
#pragma once

#include <fetch/files/file_origin.hpp>

#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

struct kept_note {
    file_origin origin = {};  // with a size
    std::chrono::system_clock::time_point modified = {};

    friend bool operator==(const kept_note&, const kept_note&) = default;
};

// Nothing for one that would not be read again: with control characters.
[[nodiscard]] std::optional<std::string> text_of(const kept_note& told);
// Nothing for what is none.
[[nodiscard]] std::optional<kept_note> read_kept_note(std::string_view text);

// Writes that of a file as it is now, all of whose bytes are written; where it cannot be noted, nothing is.
[[nodiscard]] leat::task<> note_kept(leat::file& of, file_origin origin);
// Nothing where it has none. The file stays open until then.
[[nodiscard]] leat::task<std::optional<kept_note>> kept_note_of(leat::file& of);

// A file that is there where a new one is to be, as it was seen.
struct existing {
    leat::file_info about = {};
    std::optional<kept_note> note = {};

    [[nodiscard]] bool is_from(std::string_view url) const noexcept {
        return note && note->origin.url == url;
    }
    // Since it was noted.
    [[nodiscard]] bool was_changed() const noexcept {
        return note && (note->modified != about.modified || note->origin.size != about.size);
    }
};

}  // namespace fetch
