// SPDX-License-Identifier: MIT
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <string>

using leat::task;
using leat::http::path_parameters;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::http::router;
using leat::http::text_answer;
using leat::testing::answers_to;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

task<response> home(const request& asked) {
    co_return text_answer("home of " + asked.target);
}

task<response> show_user(const request& /*asked*/, const path_parameters& found) {
    co_return text_answer("user " + found["id"]);
}

task<response> show_me(const request& /*asked*/) {
    co_return text_answer("me");
}

task<response> drop_user(const request& /*asked*/, const path_parameters& found) {
    co_return text_answer("dropped " + found["who"]);
}

task<response> show_post(const request& /*asked*/, const path_parameters& found) {
    co_return text_answer("post " + found["post"] + " of " + found["id"]);
}

task<> write_rest(const request& /*asked*/, const path_parameters& found, response_writer& writer) {
    co_await writer.write("rest [" + found["path"] + "]");
}

task<> write_feed(const request& /*asked*/, response_writer& writer) {
    co_await writer.write("feed");
}

task<response> number_answer(int number) {
    co_return text_answer(std::to_string(number));
}

router some_routes() {
    router routes;
    routes.get("/files/{path...}", write_rest)
        .get("/", home)
        .get("/users/{id}", show_user)
        .get("/users/me", show_me)
        .remove("/users/{who}", drop_user)
        .get("/users/{id}/posts/{post}", show_post)
        .get("/feed", write_feed)
        .put("/users/", show_me)
        .add("PROPFIND", "/a b", show_me);
    return routes;
}

// "200 body", with the body in one piece; "405 Allow" or "204 Allow".
task<std::string> ask(leat::endpoint where, std::string method, std::string target) {
    const std::string all = co_await answers_to(
        where, method + " " + target + " HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    const std::string status = all.substr(9, 3);
    const std::size_t allow = all.find("Allow: ");
    if (allow != all.npos) {
        co_return status + " " + all.substr(allow + 7, all.find("\r\n", allow) - allow - 7);
    }
    co_return status + " " + all.substr(all.find("\r\n\r\n") + 4);
}

}  // namespace

LEAT_TEST("a request goes to the handler of its method and path") {
    co_await serving(some_routes(), unattended, [](leat::endpoint where) -> task<> {
        for (const auto& [method, target, expected] : {std::tuple{"GET", "/?x=1", "200 home of /?x=1"},
                                                       {"GET", "/users/7", "200 user 7"},
                                                       {"GET", "/users/me", "200 me"},
                                                       {"GET", "/users/a%2Fb%20c", "200 user a/b c"},
                                                       {"GET", "/users/%6de?x", "200 me"},
                                                       {"DELETE", "/users/me", "200 dropped me"},
                                                       {"GET", "/users/7/posts/9", "200 post 9 of 7"},
                                                       {"GET", "/feed", "200 feed"},
                                                       {"GET", "http://host/users/7", "200 user 7"},
                                                       {"GET", "/files/", "200 rest []"},
                                                       {"GET", "/files/a/b%2Fc/", "200 rest [a/b%2Fc/]"},
                                                       {"PUT", "/users/", "200 me"},
                                                       {"PROPFIND", "/a%20b", "200 me"},
                                                       {"HEAD", "/users/7", "200 "},
                                                       {"HEAD", "/feed", "200 "}}) {
            const std::string answer = co_await ask(where, method, target);
            CHECK_MESSAGE(answer == expected, target);
        }
    });
}

LEAT_TEST("what has no handler is answered by the router") {
    co_await serving(some_routes(), unattended, [](leat::endpoint where) -> task<> {
        for (const auto& [method, target, expected] :
             {std::tuple{"GET", "/none", "404 Not Found\n"},
              {"GET", "/users", "404 Not Found\n"},
              {"GET", "/files", "404 Not Found\n"},
              {"GET", "/users/7/", "404 Not Found\n"},
              {"GET", "/users//posts/1", "404 Not Found\n"},
              {"GET", "//users/7", "404 Not Found\n"},
              {"OPTIONS", "/none", "404 Not Found\n"},
              {"GET", "/users/%zz", "400 Bad Request\n"},
              {"POST", "/users/7", "405 DELETE, GET, HEAD, OPTIONS"},
              {"POST", "/users/me", "405 DELETE, GET, HEAD, OPTIONS"},
              {"GET", "/users/", "405 OPTIONS, PUT"},
              {"HEAD", "/users/", "405 OPTIONS, PUT"},
              {"OPTIONS", "/feed", "204 GET, HEAD, OPTIONS"},
              {"OPTIONS", "*", "204 DELETE, GET, HEAD, OPTIONS, PROPFIND, PUT"}}) {
            const std::string answer = co_await ask(where, method, target);
            CHECK_MESSAGE(answer == expected, target);
        }
    });
}

LEAT_TEST("a function around a router sees every request, and a handler may have state") {
    int calls = 0;
    router inner;
    inner.get("/count", [&calls](const request&) { return number_answer(++calls); });
    const auto counted = [routes = inner](const request& asked, response_writer& writer) -> task<> {
        co_await routes(asked, writer);
        writer.head().headers.add("X-Seen", asked.method);
    };
    co_await serving(counted, unattended, [](leat::endpoint where) -> task<> {
        const std::string first = co_await answers_to(where, leat::testing::get("/count"));
        CHECK(first.find("X-Seen: GET\r\n") != first.npos);
        CHECK(first.ends_with("\r\n\r\n1"));
        const std::string none = co_await answers_to(where, leat::testing::get("/none"));
        CHECK(none.find("X-Seen: GET\r\n") != none.npos);
    });
    CHECK(calls == 1);
}
