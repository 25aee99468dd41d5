// SPDX-License-Identifier: MIT
#include <fetch/files/kept_note.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace std::chrono_literals;

fetch::kept_note made_kept_note() {
    return {.origin = {.url = "https://h/x", .etag = "\"a b\"", .last_modified = "Tue", .size = 7},
            .modified = std::chrono::system_clock::time_point(1'764'583'200'123'456'789ns)};
}

}  // namespace

TEST_CASE("a note of a whole file is read as it was written") {
    const auto text = fetch::text_of(made_kept_note());
    REQUIRE(text);
    CHECK(fetch::read_kept_note(*text) == made_kept_note());
}

TEST_CASE("what is no note of a whole file, or not all of one, is none") {
    const std::string text = *fetch::text_of(made_kept_note());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK_FALSE(fetch::read_kept_note(text.substr(0, size)));
    }
    CHECK_FALSE(fetch::read_kept_note(text + "x"));
    std::string odd = text;
    odd[odd.find("size 7") + 5] = '-';
    CHECK_FALSE(fetch::read_kept_note(odd));
    auto control = made_kept_note();
    control.origin.url += "\n";
    CHECK_FALSE(fetch::text_of(control));
}

TEST_CASE("a file is changed when its size or its time is another one than was noted") {
    fetch::existing there{.about = {.size = 7, .modified = made_kept_note().modified},
                          .note = made_kept_note()};
    CHECK(there.is_from("https://h/x"));
    CHECK_FALSE(there.is_from("https://h/y"));
    CHECK_FALSE(there.was_changed());
    there.about.modified += 1ns;
    CHECK(there.was_changed());
    there.about.modified -= 1ns;
    there.about.size = 8;
    CHECK(there.was_changed());
}
