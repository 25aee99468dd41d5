// SPDX-License-Identifier: MIT
#include <fetch/files/file_error.hpp>
#include <fetch/files/output_folder.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/any_folder.hpp"

#include <algorithm>
#include <string>
#include <vector>

using fetch::existing_file;
using fetch::output_folder;
using leat::task;
using leat::testing::any_folder;

namespace {

constexpr const char* some_url = "https://example.org/x";

task<std::vector<std::string>> names_in(std::string path) {
    std::vector<std::string> names;
    for (const leat::folder_entry& each : co_await leat::list_folder(std::move(path))) {
        names.push_back(each.name);
    }
    std::sort(names.begin(), names.end());
    co_return names;
}

task<std::string> text_in(const any_folder& where, std::string name) {
    return leat::read_file(where.path(name), 100'000'000);
}

using listed = std::vector<std::string>;

std::string long_text(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
    }
    return text;
}

}  // namespace

LEAT_TEST("a file that is kept has its name and its bytes, and nothing is beside it") {
    any_folder where;
    co_await where.make();
    auto folder = co_await output_folder::open(where.path(), {});
    for (const std::size_t size : {0U, 1U, 1000U, 262'144U, 262'145U, 1'000'000U}) {
        const std::string text = long_text(size);
        const std::string name = "x" + std::to_string(size);
        auto file = co_await folder.claim(name, some_url);
        CHECK(file.name() == name);
        CHECK(file.there() == 0);
        co_await file.begin({.url = some_url, .etag = "\"1\"", .size = size});
        for (std::size_t at = 0; at < size; at += 100'000) {
            co_await file.write(std::string_view(text).substr(at, 100'000));
        }
        CHECK(file.there() == size);
        co_await file.keep();
        const std::string found = co_await text_in(where, name);
        CHECK((found == text));
    }
    const auto names = co_await names_in(where.path());
    CHECK(names == listed{"x0", "x1", "x1000", "x1000000", "x262144", "x262145"});
}

LEAT_TEST("transfers of one name get numbers in the order in which they ask, whatever is there") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("x.1"), "mine");
    auto folder = co_await output_folder::open(where.path(), {});
    auto first = co_await folder.claim("x", some_url);
    auto second = co_await folder.claim("x", some_url);
    CHECK(first.name() == "x");
    CHECK(second.name() == "x.2");
    co_await first.begin({});
    co_await first.keep();
    auto third = co_await folder.claim("x", some_url);
    CHECK(third.name() == "x.3");
    const std::string mine = co_await text_in(where, "x.1");
    CHECK(mine == "mine");
}

LEAT_TEST("a file that is left is gone on with by the same URL, and by no other") {
    any_folder where;
    co_await where.make();
    const std::string text = long_text(600'000);
    const fetch::file_origin origin{
        .url = some_url, .etag = "\"1\"", .last_modified = "Tue, 01 Dec 2026 10:00:00 GMT", .size = 600'000};
    {
        auto folder = co_await output_folder::open(where.path(), {});
        auto file = co_await folder.claim("x", some_url);
        co_await file.begin(origin);
        co_await file.write(std::string_view(text).substr(0, 400'000));
        co_await file.write(std::string_view(text).substr(400'000, 10));
        const auto left = co_await file.leave();
        CHECK(left == 400'010);
    }
    const auto names = co_await names_in(where.path());
    CHECK(names == listed{"x.part", "x.part.note"});
    auto folder = co_await output_folder::open(where.path(), {});
    auto other = co_await folder.claim("x", "https://example.org/other");
    CHECK(other.name() == "x.1");
    auto file = co_await folder.claim("x", some_url);
    CHECK(file.name() == "x");
    auto held_up = co_await folder.claim("x", some_url);
    CHECK(held_up.name() == "x.2");
    const bool known = file.known() == origin;
    CHECK(known);
    CHECK(file.there() == 400'010);
    if (file.there() == 0) {
        co_await file.begin(origin);
    } else {
        co_await file.go_on();
    }
    co_await file.write(std::string_view(text).substr(file.there()));
    co_await file.keep();
    const std::string found = co_await text_in(where, "x");
    CHECK((found == text));
    const auto after = co_await names_in(where.path());
    CHECK(after == listed{"x"});
}

LEAT_TEST("what is written apart from the others is gone on with, range by range") {
    any_folder where;
    co_await where.make();
    const std::string text = long_text(900'000);
    const std::string_view all = text;
    const fetch::file_origin origin{.url = some_url, .etag = "\"1\"", .size = all.size()};
    {
        auto folder = co_await output_folder::open(where.path(), {});
        auto file = co_await folder.claim("x", some_url);
        co_await file.begin(origin);
        co_await file.write(all.substr(0, 1000));  // in memory
        co_await file.write_at(500'000, all.substr(500'000, 100'000));
        co_await file.write_at(600'000, all.substr(600'000, 100'000));
        co_await file.write_at(300'000, all.substr(300'000, 10));
        CHECK(file.there() == 1000);
        CHECK(file.count() == 201'010);
        co_await file.write(all.substr(1000, 500));
        const auto left = co_await file.leave();
        CHECK(left == 201'510);
    }
    auto folder = co_await output_folder::open(where.path(), {});
    auto file = co_await folder.claim("x", some_url);
    CHECK(file.ranges().all() ==
          std::vector<fetch::byte_range>{{0, 1500}, {300'000, 300'010}, {500'000, 700'000}});
    co_await file.go_on();
    const auto gaps = file.ranges().gaps(all.size());
    for (const fetch::byte_range& each : gaps.all()) {
        co_await file.write_at(each.begin, all.substr(each.begin, each.size()));
    }
    CHECK(file.there() == all.size());
    co_await file.keep();
    const std::string found = co_await text_in(where, "x");
    CHECK((found == text));
    const auto names = co_await names_in(where.path());
    CHECK(names == listed{"x"});
}

LEAT_TEST("a run that dies with a gap in its file has told what is there, and no more") {
    any_folder where;
    co_await where.make();
    constexpr std::size_t piece = 1 << 20;
    const std::string text = long_text(16 * piece);
    const std::string_view all = text;
    {
        auto folder = co_await output_folder::open(where.path(), {});
        auto file = co_await folder.claim("x", some_url);
        co_await file.begin({.url = some_url, .etag = "\"1\"", .size = all.size()});
        co_await file.write(all.substr(0, piece));
        for (std::size_t i = 8; i < 14; ++i) {
            co_await file.write_at(i * piece, all.substr(i * piece, piece));
        }
    }
    auto folder = co_await output_folder::open(where.path(), {});
    auto file = co_await folder.claim("x", some_url);
    if (!leat::detail::in_simulation()) {  // where it cannot be told whether the machine has stopped
        CHECK(file.there() == piece);
        CHECK(file.count() >= 4 * piece);
    }
    const std::string part = co_await text_in(where, "x.part");
    for (const fetch::byte_range& each : file.ranges().all()) {
        CHECK((part.substr(each.begin, each.size()) == all.substr(each.begin, each.size())));
    }
    co_await file.begin({.url = some_url, .etag = "\"2\"", .size = 3});
    CHECK(file.count() == 0);
    co_await file.write("new");
    co_await file.keep();
    const std::string found = co_await text_in(where, "x");
    CHECK(found == "new");
}
