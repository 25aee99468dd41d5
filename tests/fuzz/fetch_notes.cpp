// SPDX-License-Identifier: MIT
// What leat-fetch notes of files, read again: bytes of a stranger are no note, or one that is written as it
// was read; what was written is read as it was told, and with any byte changed it is none.
#include <fetch/files/kept_note.hpp>
#include <fetch/files/resume_note.hpp>

#include <leat/check.hpp>

#include "choices.hpp"

#include <string>
#include <vector>

using leat::check;

namespace {

std::string text_from(fuzz::choices& choose) {
    std::string text;
    for (unsigned left = choose.below(20); left > 0; --left) {
        text += static_cast<char>(choose.byte());
    }
    return text;
}

std::vector<fetch::byte_range> ranges_from(fuzz::choices& choose) {
    std::vector<fetch::byte_range> ranges;
    std::uint64_t at = choose.below(3);
    for (unsigned left = choose.below(5); left > 0; --left) {
        const std::uint64_t end = at + choose.size();
        ranges.push_back({at, end});
        at = end + choose.size();
    }
    return ranges;
}

fetch::file_origin origin_from(fuzz::choices& choose) {
    fetch::file_origin made{
        .url = text_from(choose), .etag = text_from(choose), .last_modified = text_from(choose)};
    if (choose.below(2) == 1) {
        made.size = choose.size();
    }
    return made;
}

void check_trust(const fetch::resume_note& told, std::uint64_t length) {
    const fetch::byte_ranges bytes = fetch::trusted(told, length, told.boot);
    check(bytes.end() <= length, "no more is trusted than the file has");
    check(bytes.end() <= told.origin.size.value_or(bytes.end()), "no more than the whole file");
    check(fetch::byte_ranges(told.synced).holds(fetch::trusted(told, length, told.boot + "1")),
          "after another boot only what was synced");
}

void read_bytes(std::string_view bytes) {
    if (const auto read = fetch::read_note(bytes)) {
        const auto again = fetch::text_of(*read);
        check(again && fetch::read_note(*again) == *read, "a note is written as it was read");
        check_trust(*read, bytes.size());
    }
    if (const auto read = fetch::read_kept_note(bytes)) {
        const auto again = fetch::text_of(*read);
        check(again && fetch::read_kept_note(*again) == *read, "that of a whole file, too");
    }
}

void write_and_read(fuzz::choices choose) {
    fetch::resume_note told{.origin = origin_from(choose), .boot = text_from(choose)};
    if (choose.below(2) == 1) {
        told.written = ranges_from(choose);
    }
    told.synced = ranges_from(choose);
    check_trust(told, choose.size());
    auto text = fetch::text_of(told);
    if (!text) {
        return;
    }
    check(fetch::read_note(*text) == told, "what is written is read");
    check(fetch::read_note(*text + "of an older note") == told, "what is behind it does not count");
    const std::size_t at = choose.size() % text->size();
    check(!fetch::read_note(text->substr(0, at)), "the front of a note is none");
    (*text)[at] = static_cast<char>((*text)[at] ^ (1U << choose.below(8)));
    check(!fetch::read_note(*text), "nor is one with a bit changed");
}

void keep_and_read(fuzz::choices choose) {
    fetch::kept_note told{.origin = origin_from(choose)};
    told.origin.size = told.origin.size.value_or(0);
    told.modified += std::chrono::seconds(choose.size());
    if (const auto text = fetch::text_of(told)) {
        check(fetch::read_kept_note(*text) == told, "what is noted of a whole file is read");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    read_bytes({reinterpret_cast<const char*>(data), size});
    write_and_read(fuzz::choices(data, size));
    keep_and_read(fuzz::choices(data, size));
    return 0;
}
