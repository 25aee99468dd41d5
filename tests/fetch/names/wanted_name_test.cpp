// SPDX-License-Identifier: MIT
#include <fetch/names/wanted_name.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using fetch::name_settings;
using fetch::name_source;

struct named_file {
    name_settings by = {};
    fetch::job of = {};
    std::string url = "http://h:81/a/b.html?c";
    std::string disposition = {};

    [[nodiscard]] std::string name() const {
        leat::http::response answer;
        if (!disposition.empty()) {
            answer.headers.add("Content-Disposition", disposition);
        }
        return fetch::wanted_name(by, of, leat::http::url::parse(url), &answer);
    }
};

}  // namespace

TEST_CASE("a file is called as its job wants, else by the settings") {
    CHECK(named_file{}.name() == "b.html?c");
    CHECK(named_file{.by = {.source = name_source::tree}}.name() == "h:81/a/b.html?c");
    CHECK(named_file{.by = {.source = name_source::tree}, .url = "http://h"}.name() == "h/index.html");
    CHECK(named_file{.by = {.source = name_source::tree}, .url = "http://h/a/"}.name() == "h/a/index.html");
    const name_settings pattern{.source = name_source::pattern, .pattern = "{number:3}/{path}/{name}"};
    CHECK(named_file{.by = pattern, .of = {.number = 7}}.name() == "007/a/b.html");
    CHECK(named_file{.by = pattern, .of = {.output = "x/y"}}.name() == "x/y");
    CHECK(named_file{.of = {.output = ".x/../y.part"}}.name() == ".x/y.part_");
}

TEST_CASE("an answer names its file only if it is asked to, and only the file") {
    const std::string told = "attachment; filename=\"../.d\"";
    CHECK(named_file{.disposition = told}.name() == "b.html?c");
    const auto by = [](name_source source) {
        return name_settings{.source = source, .content_disposition = true, .pattern = "{host}/{name}"};
    };
    CHECK(named_file{.by = by(name_source::url), .disposition = told}.name() == "_d");
    CHECK(named_file{.by = by(name_source::tree), .disposition = told}.name() == "h:81/a/_d");
    CHECK(named_file{.by = by(name_source::pattern), .disposition = told}.name() == "h:81/_d");
    CHECK(named_file{.by = by(name_source::url), .of = {.output = "x"}, .disposition = told}.name() == "x");
    CHECK(named_file{.by = by(name_source::url)}.name() == "b.html?c");
    CHECK(named_file{.by = by(name_source::url), .disposition = "attachment"}.name() == "b.html?c");
    CHECK(named_file{.by = by(name_source::pattern)}.name() == "h:81/b.html");
    CHECK(fetch::wanted_name(by(name_source::url), {}, leat::http::url::parse("http://h/a"), nullptr) == "a");
}
