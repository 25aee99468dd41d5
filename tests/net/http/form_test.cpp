// SPDX-License-Identifier: MIT
#include <leat/http/error.hpp>
#include <leat/http/form.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace {

// "name=value|name=value", decoded.
std::string fields_of(std::string_view text) {
    const auto fields = leat::http::read_form(text);
    REQUIRE(fields.ok());
    std::string all;
    for (const auto& each : *fields) {
        all += (all.empty() ? "" : "|") + each.name + "=" + each.value;
    }
    return all;
}

}  // namespace

TEST_CASE("a form is read as browsers write it") {
    CHECK(fields_of("a=1&b=x+y%21") == "a=1|b=x y!");
    CHECK(fields_of("") == "");
    CHECK(fields_of("&&a&=b&c==d&") == "a=|=b|c==d");
    CHECK(fields_of("a%3Db=%26%2B+") == "a=b=&+ ");
    CHECK(fields_of("a=%") == "a=%");
    CHECK(fields_of("a=%zz%4") == "a=%zz%4");
    CHECK(fields_of("a=%C3%A9;b=1") == "a=\xc3\xa9;b=1");
}

TEST_CASE("fields are found by name") {
    const auto fields = leat::http::read_form("a=1&b=2&a=3");
    REQUIRE(fields.ok());
    CHECK(fields->get("a") == "1");
    CHECK(fields->get("c") == std::nullopt);
    CHECK(fields->get_all("a") == std::vector<std::string_view>{"1", "3"});
    CHECK(fields->size() == 3);
}

TEST_CASE("a form with too many fields is refused") {
    CHECK(leat::http::read_form("a=1&b=2", 2).ok());
    CHECK(leat::http::read_form("a=1&b=2&c", 2).error() == leat::http::error::form_too_large);
}
