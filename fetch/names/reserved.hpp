// SPDX-License-Identifier: MIT
// The ends of names that files have which are not whole yet, and how long a name may be so that they fit
// behind it. The names that are made here (safe_name.hpp) never end so; fetch/files makes those that do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace fetch {

// Of a file that is not whole yet.
inline constexpr std::string_view unfinished_suffix = ".part";
// Of the note beside it that says what it is a part of.
inline constexpr std::string_view note_suffix = ".part.note";
// Of a name, in bytes: a number of 14 digits and note_suffix still fit into the 255 that file systems take.
inline constexpr std::size_t name_max = 230;

// Whether `name` ends like that of a file that is not whole. Case does not count: on some file systems it
// does not either.
[[nodiscard]] constexpr bool looks_unfinished(std::string_view name) noexcept {
    const auto same = [](char given, char small) {
        return given == small || (given >= 'A' && given <= 'Z' && given - 'A' + 'a' == small);
    };
    const auto ends_with = [&](std::string_view suffix) {
        return name.size() >= suffix.size() &&
               std::equal(suffix.begin(), suffix.end(),
                          name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                          [&](char small, char given) { return same(given, small); });
    };
    return ends_with(unfinished_suffix) || ends_with(note_suffix);
}

}  // namespace fetch
