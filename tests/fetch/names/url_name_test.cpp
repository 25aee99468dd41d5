// SPDX-License-Identifier: MIT
#include <fetch/names/url_name.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

leat::http::url url_with(const std::string& target) {
    return leat::http::url::parse("http://h" + target);
}

}  // namespace

TEST_CASE("a URL's name is the last part of its path, and its query") {
    CHECK(fetch::url_name(url_with("/a/b.html")) == "b.html");
    CHECK(fetch::url_name(url_with("/page?id=1&x=%20y")) == "page?id=1&x= y");
    CHECK(fetch::url_name(url_with("/page#top")) == "page");
    CHECK(fetch::url_name(url_with("")) == "index.html");
    CHECK(fetch::url_name(url_with("/a/")) == "index.html");
    CHECK(fetch::url_name(url_with("/a/?b")) == "index.html?b");
    CHECK(fetch::url_name(url_with("/%E2%82%AC")) == "\xE2\x82\xAC");
    CHECK(fetch::url_name(url_with("/a%zz%4")) == "a%zz%4");
    CHECK(fetch::url_file(url_with("/page?id=1")) == "page");
    CHECK(fetch::url_query(url_with("/page?id=1")) == "id=1");
    CHECK(fetch::url_query(url_with("/page")) == "");
}

TEST_CASE("no URL's name is a path") {
    CHECK(fetch::url_name(url_with("/a/%2e%2e%2fb")) == "_._b");
    CHECK(fetch::url_name(url_with("/a/..%2f..%5cb")) == "_._.._b");
    CHECK(fetch::url_name(url_with("/a?/../b")) == "a?_.._b");
    CHECK(fetch::url_name(url_with("/.bashrc")) == "_bashrc");
    CHECK(fetch::url_name(url_with("/%00")) == "_");
    CHECK(fetch::url_name(url_with("/a.part")) == "a.part_");
    CHECK(fetch::url_name(url_with("/a?b.part.note")) == "a?b.part.note_");
}

TEST_CASE("a URL's folders and host are names, too") {
    CHECK(fetch::url_folders(url_with("/")) == "");
    CHECK(fetch::url_folders(url_with("/a")) == "");
    CHECK(fetch::url_folders(url_with("/a/b/c")) == "a/b");
    CHECK(fetch::url_folders(url_with("/a//b/../c/")) == "a/c");
    CHECK(fetch::url_folders(url_with("/.git/%2f/x.part/c")) == "_git/_/x.part_");
    CHECK(fetch::url_host(url_with("/")) == "h");
    CHECK(fetch::url_host(url_with(":80/")) == "h");
    CHECK(fetch::url_host(url_with(":8080/")) == "h:8080");
    CHECK(fetch::url_host(leat::http::url::parse("https://[::1]:443/")) == "::1");
}
