// SPDX-License-Identifier: MIT
#include <leat/http/target.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

std::string parts_of(std::string_view target) {
    const auto [path, query] = leat::http::split_target(target);
    return std::string(path) + " " + std::string(query);
}

}  // namespace

TEST_CASE("a target is a path and a query") {
    CHECK(parts_of("/") == "/ ");
    CHECK(parts_of("/a%20b?x=1?y=2") == "/a%20b x=1?y=2");
    CHECK(parts_of("/a?") == "/a ");
    CHECK(parts_of("//a//?b") == "//a// b");
    CHECK(parts_of("http://host/a?b") == "/a b");
    CHECK(parts_of("http://host:80") == "/ ");
    CHECK(parts_of("http://host?b/c") == "/ b/c");
    CHECK(parts_of("*") == " ");
    CHECK(parts_of("host:443") == " ");
}

TEST_CASE("percent-decoding refuses what is not encoded rightly") {
    using leat::http::percent_decode;
    CHECK(percent_decode("") == "");
    CHECK(percent_decode("a%20b%2F%2f") == "a b//");
    CHECK(percent_decode("%00") == std::string(1, '\0'));
    CHECK(percent_decode("%2541") == "%41");
    CHECK(percent_decode("+") == "+");
    for (const char* text : {"%", "%4", "a%", "%4g", "%g4", "%%41", "%41%"}) {
        CHECK_MESSAGE(!percent_decode(text), text);
    }
}
