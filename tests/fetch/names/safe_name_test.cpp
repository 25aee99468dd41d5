// SPDX-License-Identifier: MIT
#include <fetch/names/reserved.hpp>
#include <fetch/names/safe_name.hpp>

#include <doctest/doctest.h>

#include <string>

using fetch::named_by;
using fetch::safe_name;
using fetch::safe_path;

TEST_CASE("a safe name is one name, whatever was wanted") {
    CHECK(safe_name("a.html") == "a.html");
    CHECK(safe_name("page?id=1&x=a:b*c") == "page?id=1&x=a:b*c");
    CHECK(safe_name("") == "_");
    CHECK(safe_name(".") == "_");
    CHECK(safe_name("..") == "_.");
    CHECK(safe_name("a/b\\c") == "a_b_c");
    CHECK(safe_name(".bashrc") == "_bashrc");
    CHECK(safe_name("-rf") == "_rf");
    CHECK(safe_name(std::string_view("a\0b\n\x1b[31m\x7f", 10)) == "a_b__[31m_");
}

TEST_CASE("the user may have hidden files, but no other folder") {
    CHECK(safe_name(".bashrc", named_by::user) == ".bashrc");
    CHECK(safe_name("-rf", named_by::user) == "-rf");
    CHECK(safe_name(".", named_by::user) == "_");
    CHECK(safe_name("..", named_by::user) == "_.");
    CHECK(safe_path("/a/../.b", named_by::user) == "a/.b");
}

TEST_CASE("what is no UTF-8 becomes _ in a safe name, byte for byte") {
    CHECK(safe_name("\xE2\x82\xAC\xF0\x9F\x98\x80") == "\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK(safe_name("a\xC0\xAF"
                    "b") == "a__b");  // overlong slash
    CHECK(safe_name("a\xED\xA0\x80"
                    "b") == "a___b");  // half of a surrogate pair
    CHECK(safe_name("a\xF4\x90\x80\x80"
                    "b") == "a____b");  // beyond Unicode
    CHECK(safe_name("a\xE2\x82") == "a__");
    CHECK(safe_name("a\x80"
                    "b") == "a_b");
    CHECK(safe_name("a\xC2\x85"
                    "b") == "a_b");  // a control of ISO 8859-1
    CHECK(safe_name("a\xD8\x9C"
                    "b\xE2\x80\xAE"
                    "c") == "a_b_c");  // they change the order of text
}

TEST_CASE("a long name is cut between two characters, before its extension") {
    for (const std::string before : {"", "x", "xx", "xxx"}) {
        std::string wanted = before;
        for (int i = 0; i < 100; ++i) {
            wanted += "\xF0\x9F\x98\x80";
        }
        const std::string name = safe_name(wanted);
        CHECK(name.size() <= fetch::name_max);
        CHECK((name.size() - before.size()) % 4 == 0);
        CHECK(name.size() + 4 > fetch::name_max);
        const std::string kept = safe_name(wanted + ".tar");
        CHECK(kept.size() <= fetch::name_max);
        CHECK(kept.ends_with("\x80.tar"));
        CHECK((kept.size() - before.size()) % 4 == 0);
    }
    const std::string sentence = std::string(250, 'a') + ". And that is no extension at all";
    CHECK(safe_name(sentence) == std::string(fetch::name_max, 'a'));
}

TEST_CASE("a safe name never looks unfinished, and stays as it is") {
    CHECK(safe_name("x.part") == "x.part_");
    CHECK(safe_name("x.PART") == "x.PART_");
    CHECK(safe_name("x.part.note") == "x.part.note_");
    CHECK(safe_name("x.part.txt") == "x.part.txt");
    CHECK(safe_name(".part", named_by::user) == ".part_");
    const std::string same = std::string(fetch::name_max - 5, 'a') + ".part";
    const std::string longer = std::string(fetch::name_max, 'a') + ".part";
    for (const std::string& wanted : {same, longer}) {
        const std::string name = safe_name(wanted);
        CHECK(name.size() == fetch::name_max);
        CHECK(name.ends_with("a.part_"));
        CHECK(safe_name(name) == name);
    }
}

TEST_CASE("a safe path is relative and leads down, and it is not too long") {
    CHECK(safe_path("a/b.html") == "a/b.html");
    CHECK(safe_path("/etc/passwd") == "etc/passwd");
    CHECK(safe_path("../../a//./b/..") == "a/b");
    CHECK(safe_path(".ssh/id") == "_ssh/id");
    CHECK(safe_path("x.part/y") == "x.part_/y");
    CHECK(safe_path("") == "_");
    CHECK(safe_path("/../.") == "_");
    std::string deep;
    std::string wide;
    for (int i = 0; i < 1000; ++i) {
        deep += "a/";
        wide += std::string(200, 'b') + "/";
    }
    CHECK(safe_path(deep + "end").size() < 200);
    CHECK(safe_path(deep + "end").ends_with("a/end"));
    CHECK(safe_path(wide + "end").size() < 3300);
    CHECK(safe_path(wide + "end").ends_with("b/end"));
}
