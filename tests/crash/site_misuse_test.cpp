// SPDX-License-Identifier: MIT
// Misuse of what sites are made of aborts and names the rule that was broken.
#include "aborts.hpp"

#include <leat/http/answers.hpp>
#include <leat/http/multipart.hpp>
#include <leat/http/router.hpp>
#include <leat/system/root_folder.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using leat::http::router;
using leat::testing::check_aborts;

namespace {

leat::task<leat::http::response> answer_anything(const leat::http::request& /*asked*/) {
    co_return leat::http::status_answer(200);
}

}  // namespace

TEST_CASE("a pattern that is none aborts") {
    for (const auto& [pattern, rule] : {std::pair{"users", "the pattern of a route begins with a slash"},
                                        {"", "the pattern of a route begins with a slash"},
                                        {"/{path...}/x", "a rest is the end of a pattern"},
                                        {"/x{id}", "a parameter is a whole segment"},
                                        {"/{id", "a parameter is a whole segment"},
                                        {"/{}", "each parameter of a pattern has its own name"},
                                        {"/{...}", "each parameter of a pattern has its own name"},
                                        {"/{id}/{id}", "each parameter of a pattern has its own name"}}) {
        check_aborts([text = pattern] { router().get(text, answer_anything); }, rule);
    }
}

TEST_CASE("two handlers for a method and a pattern abort, whatever its parameters are called") {
    check_aborts([] { router().get("/a/{id}", answer_anything).get("/a/{name}", answer_anything); },
                 "a method and a pattern have one handler");
    router distinct;
    distinct.get("/a/{id}", answer_anything).post("/a/{id}", answer_anything).get("/b/{id}", answer_anything);
}

TEST_CASE("a parameter that the pattern lacks aborts") {
    check_aborts(
        [] {
            leat::http::path_parameters found;
            found.add("id", "7");
            (void)found["name"];
        },
        "a parameter is asked for that the pattern of the route lacks");
}

TEST_CASE("a boundary that no body can have aborts") {
    for (const std::string& boundary : {std::string(), std::string(71, 'x'), std::string("a\r\n")}) {
        check_aborts([&] { leat::http::multipart_parser parser(boundary); },
                     "a boundary has 1 to 70 characters");
    }
}

TEST_CASE("a root folder that was never opened aborts") {
    check_aborts([] { (void)leat::root_folder().path(); }, "the folder was moved from, or never opened");
}
