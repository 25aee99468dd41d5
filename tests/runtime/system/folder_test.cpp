// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"

#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

using leat::task;
using leat::testing::any_folder;

namespace {

task<std::string> error_of(task<> action) {
    const auto ended = co_await leat::as_result(std::move(action));
    co_return ended.error_text();
}

}  // namespace

LEAT_TEST("a file is renamed, over another one too") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "first");
    co_await leat::write_file(where.path("two"), "second");
    co_await leat::rename_file(where.path("one"), where.path("two"));
    const std::string text = co_await leat::read_file(where.path("two"), 100);
    CHECK(text == "first");
    const bool gone = !co_await leat::path_exists(where.path("one"));
    CHECK(gone);
    const std::string missing = co_await error_of(leat::rename_file(where.path("one"), where.path("three")));
    CHECK(missing ==
          "rename " + where.path("one") + " to " + where.path("three") + ": No such file or directory");
}

LEAT_TEST("rename_to_new replaces nothing") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "first");
    co_await leat::write_file(where.path("two"), "second");
    const auto refused = co_await leat::as_result(leat::rename_to_new(where.path("one"), where.path("two")));
    CHECK(refused.error() == std::errc::file_exists);
    co_await leat::rename_to_new(where.path("one"), where.path("three"));
    const std::string text = co_await leat::read_file(where.path("three"), 100);
    CHECK(text == "first");
}

LEAT_TEST("a removed file is gone, and can be read by who has it open") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "bytes");
    auto open = co_await leat::file::open(where.path("one"));
    co_await leat::remove_file(where.path("one"));
    const bool there = co_await leat::path_exists(where.path("one"));
    CHECK(!there);
    std::string text(5, '\0');
    co_await open.read_exactly_at(0, text);
    CHECK(text == "bytes");
    const auto about = co_await open.info();
    CHECK(about.links == 0);
    const std::string again = co_await error_of(leat::remove_file(where.path("one")));
    CHECK(again == "remove " + where.path("one") + ": No such file or directory");
}

LEAT_TEST("folders are made, listed and removed") {
    any_folder where;
    co_await where.make();
    co_await leat::make_folder(where.path("below"));
    const std::string twice = co_await error_of(leat::make_folder(where.path("below")));
    CHECK(twice == "make folder " + where.path("below") + ": File exists");
    co_await leat::write_file(where.path("below/one"), "1");
    auto entries = co_await leat::list_folder(where.path());
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].name == "below");
    CHECK(entries[0].kind == leat::file_kind::folder);
    const auto below = co_await leat::list_folder(where.path("below"));
    REQUIRE(below.size() == 1);
    CHECK(below[0].name == "one");
    CHECK(below[0].kind == leat::file_kind::regular);
    const std::string full = co_await error_of(leat::remove_folder(where.path("below")));
    CHECK(full == "remove folder " + where.path("below") + ": Directory not empty");
    const std::string kind = co_await error_of(leat::remove_file(where.path("below")));
    CHECK(kind == "remove " + where.path("below") + ": Is a directory");
    co_await leat::remove_file(where.path("below/one"));
    co_await leat::sync_folder(where.path("below"));
    co_await leat::remove_folder(where.path("below"));
    entries = co_await leat::list_folder(where.path());
    CHECK(entries.empty());
    const auto gone = co_await leat::as_result(leat::list_folder(where.path("below")));
    CHECK(gone.error() == std::errc::no_such_file_or_directory);
}

LEAT_TEST("a folder of 10,000 names is listed with each of them once") {
    constexpr int count = 10'000;
    any_folder where;
    co_await where.make();
    for (int number = 0; number < count; ++number) {
        if (leat::detail::in_simulation()) {
            co_await leat::write_file(where.path(std::to_string(number)), "");
        } else {
            std::ofstream(where.path(std::to_string(number))).put('x');
        }
    }
    const auto entries = co_await leat::list_folder(where.path());
    std::set<std::string> names;
    for (const leat::folder_entry& each : entries) {
        names.insert(each.name);
    }
    CHECK(entries.size() == count);
    CHECK(names.size() == count);
    CHECK(names.contains("9999"));
}

LEAT_TEST("a file that is written atomically replaces the old one and leaves no part") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("settings"), "old");
    co_await leat::write_file(where.path("settings.part"), "left by a crash");
    co_await leat::write_file_atomically(where.path("settings"), "new");
    const std::string text = co_await leat::read_file(where.path("settings"), 100);
    CHECK(text == "new");
    const auto entries = co_await leat::list_folder(where.path());
    CHECK(entries.size() == 1);
    const std::string missing = co_await error_of(leat::write_file_atomically(where.path("none/x"), "new"));
    CHECK(missing == "open " + where.path("none/x.part") + ": No such file or directory");
}

LEAT_TEST("a file that is written atomically has the permissions that it is given, whatever was left") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("secret.part"), "left by a crash, for everyone to read");
    co_await leat::write_file_atomically(where.path("secret"), "new", 0600);
    const leat::file_info about = co_await leat::file_info_of(where.path("secret"));
    CHECK(about.permissions == 0600);
    CHECK(about.size == 3);
    const auto entries = co_await leat::list_folder(where.path());
    CHECK(entries.size() == 1);
}

LEAT_TEST("a file that is written atomically is not kept from others by what was left") {
    any_folder where;
    co_await where.make();
    auto left = co_await leat::file::open(where.path("open.part"),
                                          {.write = true, .create = true, .permissions = 0600});
    co_await left.close();
    co_await leat::write_file(where.path("other"), "new");
    co_await leat::write_file_atomically(where.path("open"), "new");
    const leat::file_info usual = co_await leat::file_info_of(where.path("other"));
    const leat::file_info about = co_await leat::file_info_of(where.path("open"));
    CHECK(usual.permissions != 0600);
    CHECK(about.permissions == usual.permissions);
}

LEAT_TEST("an atomic write that cannot take its place leaves no part") {
    any_folder where;
    co_await where.make();
    co_await leat::make_folder(where.path("taken"));
    const auto refused = co_await leat::as_result(leat::write_file_atomically(where.path("taken"), "new"));
    CHECK(refused.error() == std::errc::is_a_directory);
    const auto entries = co_await leat::list_folder(where.path());
    CHECK(entries.size() == 1);
}

LEAT_TEST("a folder does not move below itself") {
    any_folder where;
    co_await where.make();
    co_await leat::make_folder(where.path("one"));
    co_await leat::make_folder(where.path("one/two"));
    const auto refused =
        co_await leat::as_result(leat::rename_file(where.path("one"), where.path("one/two/x")));
    CHECK(refused.error() == std::errc::invalid_argument);
    co_await leat::rename_file(where.path("one/two"), where.path("three"));
    const bool up = co_await leat::path_exists(where.path("three/../one/./"));
    CHECK(up);
    const bool below_file = co_await leat::path_exists(where.path("none/one"));
    CHECK(!below_file);
}
