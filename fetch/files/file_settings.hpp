// SPDX-License-Identifier: MIT
// file_settings: how files are written, and what happens to those that are there already.
#pragma once

#include <cstdint>

namespace fetch {

// What is done when a file of the wanted name is there that this run has not made.
enum class existing_file : std::uint8_t {
    number,   // it stays; the new one is called name.1, name.2, ...
    skip,     // it stays, and counts as fetched: files have their name only when they are whole
    replace,  // by the new one, once that is whole
    fail,
};

struct file_settings {
    existing_file when_there = existing_file::number;
    bool resume = true;  // go on with what an earlier run has left of the same URL
    // A file that is there is fetched again only if the server has another one now, and then replaced. One
    // that was not fetched from this URL, or was changed since, only with existing_file::replace. What is
    // fetched is noted in its extended attributes (kept_note.hpp).
    bool newer = false;
    // A file that is there, and that this program has not noted, may be the beginning of what is fetched, as
    // other programs leave it: it is gone on with where sizes allow it. Not with `newer`.
    bool take_over = false;
    bool sync = false;         // a file is on the disk before it counts as fetched
    bool preallocate = true;   // room for all of a file of known size first: a full disk is known at once
    bool server_time = false;  // the file's time is that of Last-Modified
    bool only_look = false;    // no folder is made: names are asked for, and what is there
    bool origin = false;       // the URL as the extended attribute user.xdg.origin.url
};

}  // namespace fetch
