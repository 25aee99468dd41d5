// SPDX-License-Identifier: MIT
#include <fetch/names/name_pattern.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

const fetch::pattern_values pattern_example{
    .host = "example.org", .path = "a/b", .name = "c.tar.gz", .query = "d=1", .number = 17, .url = "abc"};

std::string made_by(std::string_view pattern) {
    CHECK(fetch::pattern_mistake(pattern) == "");
    return fetch::path_by(pattern, pattern_example);
}

}  // namespace

TEST_CASE("a pattern makes a path of what is known of a job") {
    CHECK(made_by("{host}/{path}/{name}") == "example.org/a/b/c.tar.gz");
    CHECK(made_by("{stem}-{number}{extension}") == "c.tar-17.gz");
    CHECK(made_by("{number:5}") == "00017");
    CHECK(made_by("{number:1}") == "17");
    CHECK(made_by("x?{query}") == "x?d=1");
    CHECK(made_by("{hash}") == "ba7816bf8f01cfea");
    CHECK(made_by("{hash:4}.html") == "ba78.html");
    CHECK(made_by("{hash:64}") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(made_by("{{{name}}}") == "{c.tar.gz}");
    CHECK(made_by("one") == "one");
}

TEST_CASE("what a pattern makes leads down, also where nothing stands for its fields") {
    const fetch::pattern_values none{.host = "h", .name = "README"};
    CHECK(fetch::path_by("{host}/{path}/{name}", none) == "h/README");
    CHECK(fetch::path_by("{stem}{extension}", none) == "README");
    CHECK(fetch::path_by("{host}/{query}", none) == "h/_");
    CHECK(fetch::path_by("{query}", none) == "_");
    const fetch::pattern_values bad{.host = "h", .name = "x.bashrc", .query = ".."};
    CHECK(fetch::path_by("{path}{extension}", bad) == "_bashrc");
    CHECK(fetch::path_by("{name}.part", bad) == "x.bashrc.part_");
}

TEST_CASE("what is wrong with a pattern is said") {
    using fetch::pattern_mistake;
    CHECK(pattern_mistake("") == "it is empty");
    CHECK(pattern_mistake("/tmp/{name}") == "it begins with /, but names files below the output folder");
    CHECK(pattern_mistake("{host}/") == "it ends with /, so that files have no name");
    CHECK(pattern_mistake("a/../b") == "a part of it begins with a dot or a dash: \"..\"");
    CHECK(pattern_mistake(".{name}") == "a part of it begins with a dot or a dash: \".{name}\"");
    CHECK(pattern_mistake("{name") == "a { without its }; a brace itself is {{");
    CHECK(pattern_mistake("name}") == "a } without its {; a brace itself is }}");
    CHECK(pattern_mistake("{file}") ==
          "there is no {file}; there are {host}, {path}, {name}, {stem}, {extension}, {query}, {number}, "
          "{hash}");
    CHECK(pattern_mistake("{}").starts_with("there is no {}; "));
    CHECK(pattern_mistake("{host}, {path}") == "");
    CHECK(pattern_mistake("{name:5}") == "{name} takes no width");
    CHECK(pattern_mistake("{number:x}") == "the width in {number:x} is not from 1 to 64");
    CHECK(pattern_mistake("{number:0}") == "the width in {number:0} is not from 1 to 64");
    CHECK(pattern_mistake("{number:}") == "the width in {number:} is not from 1 to 64");
    CHECK(pattern_mistake("{hash:65}") == "the width in {hash:65} is not from 1 to 64");
    CHECK(pattern_mistake("{number:99999999999999999999}").starts_with("the width in"));
}
