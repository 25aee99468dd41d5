// SPDX-License-Identifier: MIT
#include <leat/http/conditional.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using leat::http::condition;
using leat::http::evaluate;
using leat::http::headers;
using leat::http::request;
using leat::http::validators;
using namespace std::chrono_literals;

namespace {

constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* then = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* later = "Sun, 06 Nov 1994 08:49:38 GMT";

// Changed at the second `then`, and a half.
validators current() {
    return {.tag = "\"v1\"", .modified = *leat::http::parse_http_date(then) + 500ms};
}

condition of(const headers& fields, const std::string& method = "GET", const validators& now = current()) {
    request asked;
    asked.method = method;
    asked.headers = fields;
    return evaluate(asked, now);
}

bool ranged(const headers& fields, const std::string& method = "GET") {
    request asked;
    asked.method = method;
    asked.headers = fields;
    return leat::http::wants_range(asked, current());
}

}  // namespace

TEST_CASE("an entity tag stands between quotes") {
    for (const char* tag : {"\"\"", "\"a,b\"", "W/\"x\"", "\"\xc3\xa9\"", "\"!\""}) {
        CHECK_MESSAGE(leat::http::is_entity_tag(tag), tag);
    }
    for (const char* tag :
         {"", "\"", "a", "\"a", "a\"", "w/\"a\"", "W/", "W/\"", "\"a\"b\"", "\"a b\"", "*"}) {
        CHECK_MESSAGE(!leat::http::is_entity_tag(tag), tag);
    }
}

TEST_CASE("tags are compared as RFC 9110 8.8.3.2 has it") {
    using leat::http::equivalent, leat::http::same_bytes;
    CHECK(!same_bytes("W/\"1\"", "W/\"1\""));
    CHECK(equivalent("W/\"1\"", "W/\"1\""));
    CHECK(!equivalent("W/\"1\"", "W/\"2\""));
    CHECK(!same_bytes("W/\"1\"", "\"1\""));
    CHECK(equivalent("W/\"1\"", "\"1\""));
    CHECK(same_bytes("\"1\"", "\"1\""));
    CHECK(!same_bytes("\"1\"", "W/\"1\""));
    CHECK(!same_bytes("", ""));
    CHECK(!equivalent("", ""));
}

TEST_CASE("If-Match lets a request through that names the current state") {
    CHECK(of({{"If-Match", "\"v1\""}}, "PUT") == condition::holds);
    CHECK(of({{"If-Match", "\"v0\" ,, \"v1\""}}, "PUT") == condition::holds);
    CHECK(of({{"If-Match", "\"v0\""}, {"if-match", "\"v1\""}}, "PUT") == condition::holds);
    CHECK(of({{"If-Match", "\"v0\""}}, "PUT") == condition::failed);
    CHECK(of({{"If-Match", "\"v0\""}}, "GET") == condition::failed);
    CHECK(of({{"If-Match", "W/\"v1\""}}, "PUT") == condition::failed);
    CHECK(of({{"If-Match", "v1"}}, "PUT") == condition::failed);
    CHECK(of({{"If-Match", "\"v0,\"v1\""}}, "PUT") == condition::failed);
    CHECK(of({{"If-Match", "*"}}, "PUT") == condition::holds);
    CHECK(of({{"If-Match", "*"}}, "PUT", {.exists = false}) == condition::failed);
    CHECK(of({{"If-Match", "\"v1\""}}, "PUT", {}) == condition::failed);
}

TEST_CASE("If-None-Match tells a reader that it has it, and a writer that it is there") {
    CHECK(of({{"If-None-Match", "\"v1\""}}) == condition::not_modified);
    CHECK(of({{"If-None-Match", "W/\"v1\""}}, "HEAD") == condition::not_modified);
    CHECK(of({{"If-None-Match", "\"a,b\", \"v1\""}}) == condition::not_modified);
    CHECK(of({{"If-None-Match", "\"v0\""}}) == condition::holds);
    CHECK(of({{"If-None-Match", "*"}}) == condition::not_modified);
    CHECK(of({{"If-None-Match", "*"}}, "PUT") == condition::failed);
    CHECK(of({{"If-None-Match", "*"}}, "PUT", {.exists = false}) == condition::holds);
    CHECK(of({{"If-None-Match", "\"v1\""}}, "DELETE") == condition::failed);
    CHECK(of({{"If-None-Match", "\"v1\""}}, "GET", {.modified = std::nullopt}) == condition::holds);
}

TEST_CASE("dates count by the second") {
    CHECK(of({{"If-Modified-Since", then}}) == condition::not_modified);
    CHECK(of({{"If-Modified-Since", later}}) == condition::not_modified);
    CHECK(of({{"If-Modified-Since", before}}) == condition::holds);
    CHECK(of({{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}) == condition::not_modified);
    CHECK(of({{"If-Unmodified-Since", then}}) == condition::holds);
    CHECK(of({{"If-Unmodified-Since", before}}, "PUT") == condition::failed);
}

TEST_CASE("a date that does not count is passed over") {
    CHECK(of({{"If-Modified-Since", then}}, "PUT") == condition::holds);
    CHECK(of({{"If-Modified-Since", "yesterday"}}) == condition::holds);
    CHECK(of({{"If-Modified-Since", then}, {"If-Modified-Since", then}}) == condition::holds);
    CHECK(of({{"If-Modified-Since", then}}, "GET", {.tag = "\"v1\""}) == condition::holds);
    CHECK(of({{"If-Unmodified-Since", "0"}}, "PUT") == condition::holds);
    CHECK(of({{"If-Unmodified-Since", before}}, "PUT", {.tag = "\"v1\""}) == condition::holds);
}

TEST_CASE("a tag counts before a date, and a condition to go on before one to leave it") {
    CHECK(of({{"If-None-Match", "\"v0\""}, {"If-Modified-Since", then}}) == condition::holds);
    CHECK(of({{"If-None-Match", "\"v1\""}, {"If-Modified-Since", before}}) == condition::not_modified);
    CHECK(of({{"If-Match", "\"v1\""}, {"If-Unmodified-Since", before}}, "PUT") == condition::holds);
    CHECK(of({{"If-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}}) == condition::failed);
    CHECK(of({{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}) == condition::not_modified);
    CHECK(of({{"If-Unmodified-Since", before}, {"If-Modified-Since", later}}) == condition::failed);
    CHECK(of({}) == condition::holds);
}

TEST_CASE("If-Range names the state that the client has a part of") {
    CHECK(ranged({{"Range", "bytes=0-1"}}));
    CHECK(!ranged({}));
    CHECK(!ranged({{"Range", "bytes=0-1"}}, "HEAD"));
    CHECK(ranged({{"Range", "bytes=0-1"}, {"If-Range", "\"v1\""}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", "\"v0\""}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", "W/\"v1\""}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", "\"v1\", \"v0\""}}));
    CHECK(ranged({{"Range", "bytes=0-1"}, {"If-Range", then}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", later}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", before}}));
    CHECK(!ranged({{"Range", "bytes=0-1"}, {"If-Range", "never"}}));
}

TEST_CASE("a date is written as it is read") {
    CHECK(leat::http::http_date(*leat::http::parse_http_date(then)) == then);
    CHECK(leat::http::http_date(std::chrono::system_clock::time_point(999ms)) ==
          "Thu, 01 Jan 1970 00:00:00 GMT");
}
