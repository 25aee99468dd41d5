// SPDX-License-Identifier: MIT
#include <leat/http/core/static_path.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

std::string path_of(std::string_view path, bool dot_files = false) {
    return leat::http::detail::static_path(path, dot_files).value_or("none");
}

}  // namespace

TEST_CASE("a path of a URL becomes one of files") {
    CHECK(path_of("/") == "");
    CHECK(path_of("") == "");
    CHECK(path_of("/a") == "a");
    CHECK(path_of("a/b") == "a/b");
    CHECK(path_of("/a/b/") == "a/b/");
    CHECK(path_of("/a%20b/%41%25") == "a b/A%");
    CHECK(path_of("/...") == "none");
    CHECK(path_of("/...", true) == "...");
    CHECK(path_of("/a..b/c.") == "a..b/c.");
}

TEST_CASE("a path that could name something else names nothing") {
    for (const char* path : {"//", "/a//b", "/./a", "/a/.", "/a/..", "/../a", "/%2e", "/%2E%2e/a", "/.%2e/a",
                             "/a%2fb", "/a\\b", "/a%5Cb", "/a%00", "/%", "/a%2", "/a%gg"}) {
        CHECK_MESSAGE(path_of(path, true) == "none", path);
    }
    CHECK(path_of("/.git/config") == "none");
    CHECK(path_of("/.git/config", true) == ".git/config");
    CHECK(path_of("/.well-known/x") == ".well-known/x");
    CHECK(path_of("/%2egit") == "none");
}

TEST_CASE("the place of a folder stays on its host") {
    using leat::http::detail::folder_location;
    CHECK(folder_location("/a/b") == "./b/");
    CHECK(folder_location("/a?b/c") == "./a/?b/c");
    CHECK(folder_location("//evil.example") == "./evil.example/");
    CHECK(folder_location("/javascript:x") == "./javascript:x/");
    CHECK(folder_location("http://host/a") == "./a/");
}
