// SPDX-License-Identifier: MIT
#include <fetch/files/resume_note.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

fetch::resume_note some_note() {
    return {.origin = {.url = "https://example.org/a b?c=%20",
                       .etag = "\"5f-1a\"",
                       .last_modified = "Tue, 01 Dec 2026 10:00:00 GMT",
                       .size = 5000},
            .boot = "6a4b1d1e",
            .written = std::nullopt,
            .synced = {{0, 1000}, {2000, 3000}}};
}

}  // namespace

TEST_CASE("a note that is written is read as the same") {
    auto told = some_note();
    auto read = fetch::read_note(fetch::text_of(told).value());
    CHECK(read == told);
    told = {.origin = {.url = "u"}, .written = std::vector<fetch::byte_range>{{0, 5}, {7, 8}}};
    read = fetch::read_note(fetch::text_of(told).value());
    CHECK(read == told);
    told.written = std::vector<fetch::byte_range>{};
    read = fetch::read_note(fetch::text_of(told).value());
    CHECK(read == told);
}

TEST_CASE("a note that was written in part, or changed in one byte, is none") {
    const std::string text = fetch::text_of(some_note()).value();
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK_MESSAGE(!fetch::read_note(text.substr(0, size)), size);
        std::string changed = text;
        changed[size] = static_cast<char>(changed[size] ^ 1);
        CHECK_MESSAGE(!fetch::read_note(changed), size);
    }
    CHECK(fetch::read_note(text + "what an older note has left") == some_note());
    CHECK_FALSE(fetch::read_note(text + std::string(fetch::longest_note, 'x')));
}

TEST_CASE("a note that could not be read again is not written") {
    auto told = some_note();
    told.origin.etag = "\"a\nb\"";
    CHECK_FALSE(fetch::text_of(told));
    told = some_note();
    told.origin.url = std::string(fetch::longest_note, 'x');
    CHECK_FALSE(fetch::text_of(told));
    CHECK_FALSE(fetch::read_note(""));
}

TEST_CASE("of the same boot all counts that is there, of another what was synced, and never more than that") {
    const auto trusted = [](const fetch::resume_note& told, std::uint64_t length, std::string_view boot) {
        return fetch::trusted(told, length, boot).all();
    };
    using ranges = std::vector<fetch::byte_range>;
    auto told = some_note();
    CHECK(trusted(told, 4000, "6a4b1d1e") == ranges{{0, 4000}});
    CHECK(trusted(told, 0, "6a4b1d1e").empty());
    CHECK(trusted(told, 4000, "other") == told.synced);
    CHECK(trusted(told, 4000, "") == told.synced);
    CHECK(trusted(told, 2999, "other").empty());
    CHECK(trusted(told, 5001, "6a4b1d1e").empty());
    told.written = ranges{{0, 3000}, {4000, 5000}};
    CHECK(trusted(told, 5000, "6a4b1d1e") == *told.written);
    CHECK(trusted(told, 4999, "6a4b1d1e").empty());
    told.written = ranges{{10, 3000}};
    CHECK(trusted(told, 5000, "6a4b1d1e") == *told.written);
    told.boot.clear();
    CHECK(trusted(told, 5000, "") == told.synced);
}

TEST_CASE("of very many ranges a note tells the first ones") {
    auto told = some_note();
    told.written.emplace();
    for (std::uint64_t i = 0; i < 3000; ++i) {
        told.written->push_back({3 * i, 3 * i + 1});
    }
    const auto read = fetch::read_note(fetch::text_of(told).value());
    REQUIRE(read);
    REQUIRE(read->written);
    CHECK(read->written->size() == 1000);
    CHECK(read->written->back() == fetch::byte_range{2997, 2998});
}
