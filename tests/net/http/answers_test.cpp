// SPDX-License-Identifier: MIT
#include <leat/http/answers.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

TEST_CASE("an answer has the type of its body") {
    const auto text = leat::http::text_answer("a");
    CHECK(text.status == 200);
    CHECK(text.body == "a");
    CHECK(text.headers.get("Content-Type") == "text/plain; charset=utf-8");
    const auto json = leat::http::json_answer("[1]", 201);
    CHECK(json.status == 201);
    CHECK(json.body == "[1]");
    CHECK(json.headers.get("Content-Type") == "application/json");
}

TEST_CASE("an answer of a status says it in words") {
    CHECK(leat::http::status_answer(404).body == "Not Found\n");
    const auto none = leat::http::status_answer(204);
    CHECK(none.body.empty());
    CHECK(none.headers.empty());
}

TEST_CASE("a redirect says where to, in one line") {
    const auto moved = leat::http::redirect_to("/there?x=1");
    CHECK(moved.status == 303);
    CHECK(moved.headers.get("Location") == "/there?x=1");
    CHECK(leat::http::redirect_to("/", 308).status == 308);
    CHECK_THROWS_AS((void)leat::http::redirect_to("/\r\nX: 1"), std::invalid_argument);
}
