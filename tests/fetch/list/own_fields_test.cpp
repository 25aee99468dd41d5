// SPDX-License-Identifier: MIT
#include <fetch/list/own_fields.hpp>

#include <fetch/list/job_line.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("fields that would make a wrong file cannot be given, in any case of letters") {
    for (const char* const name : {"Range", "range", "IF-RANGE", "Host", "If-None-Match", "Transfer-Encoding",
                                   "Content-Length", "Accept-Encoding", "Upgrade"}) {
        const std::string mistake = fetch::mistake_of_field(name);
        CAPTURE(name);
        CHECK(mistake.starts_with(std::string(name) + " cannot be given: "));
    }
    for (const char* const name : {"Accept", "Authorization", "Cookie", "X-Range", "Rang", "Ranges", ""}) {
        CAPTURE(name);
        CHECK(fetch::mistake_of_field(name).empty());
    }
}

TEST_CASE("the option that does what was meant is named") {
    CHECK(fetch::mistake_of_field("Range").find("--continue") != std::string::npos);
    CHECK(fetch::mistake_of_field("If-Modified-Since").find("--newer") != std::string::npos);
    CHECK(fetch::mistake_of_field("Accept-Encoding").find("--compressed") != std::string::npos);
    CHECK(fetch::mistake_of_field("Host").find("--resolve") != std::string::npos);
}

TEST_CASE("a line of a list that gives such a field is a mistake") {
    const auto read = fetch::read_job_line("http://h/x\theader=Range: bytes=1-", {.list = "l", .number = 3});
    REQUIRE(read);
    CHECK(read->mistake.starts_with("l:3: http://h/x: Range cannot be given: "));
    CHECK(read->fields.empty());
}
