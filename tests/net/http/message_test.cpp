// SPDX-License-Identifier: MIT
#include <leat/http/message.hpp>

#include <doctest/doctest.h>

using namespace leat::http;

TEST_CASE("a cleared message keeps nothing of the old one") {
    request asked;
    CHECK(asked.method == "GET");
    CHECK(asked.target == "/");
    asked.method = "POST";
    asked.version = version::http_1_0;
    asked.headers.add("A", "1");
    asked.body = "x";
    asked.clear();
    CHECK(asked.method.empty());
    CHECK(asked.version == version::http_1_1);
    CHECK(asked.headers.empty());
    CHECK(asked.body.empty());

    response answer;
    CHECK(answer.status == 200);
    answer.status = 404;
    answer.reason = "Gone Fishing";
    answer.clear();
    CHECK(answer.status == 200);
    CHECK(answer.reason.empty());
}

TEST_CASE("registered status codes have their phrase, others none") {
    CHECK(reason_phrase(100) == "Continue");
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(404) == "Not Found");
    CHECK(reason_phrase(511) == "Network Authentication Required");
    for (const int status : {-1, 0, 99, 209, 306, 418, 599, 1000}) {
        CAPTURE(status);
        CHECK(reason_phrase(status).empty());
    }
}

TEST_CASE("registered methods are known, in capitals only") {
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
                               "ACL", "PROPFIND", "VERSION-CONTROL"}) {
        CHECK_MESSAGE(is_registered_method(method), method);
    }
    for (const char* method : {"", "get", "GE", "GETS", "PRI", "FOO", "PURGE"}) {
        CHECK_MESSAGE(!is_registered_method(method), method);
    }
}
