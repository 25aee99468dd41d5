// SPDX-License-Identifier: MIT
#include <fetch/list/job_line.hpp>
#include <fetch/list/written_job.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("a job that is written as a line is read as the same job") {
    const std::string lines[] = {
        "http://h/a",
        "http://h/a b?c=d#e",
        "http://h/a\tout=b/c.iso\tsize=12",
        "http://h/a\tchecksum=md5=900150983cd24fb0d6963f7d28e17f72\tmirror=http://i/\tmirror=https://j/k",
        "http://h/a\theader=Accept: text/plain\theader=X-Y: 1",
    };
    for (const std::string& line : lines) {
        const auto read = fetch::read_job_line(line, {.list = "l", .number = 1});
        REQUIRE(read.has_value());
        CAPTURE(line);
        CHECK(read->mistake == "");
        CHECK(fetch::written_job(*read) == line);
    }
}

TEST_CASE("a job with a mistake is written as a comment") {
    const auto read = fetch::read_job_line("http://h/a\tsize=x", {.list = "l", .number = 7});
    REQUIRE(read.has_value());
    CHECK(read->mistake != "");
    const std::string line = fetch::written_job(*read);
    CHECK(line.starts_with("# l:7: "));
    CHECK_FALSE(fetch::read_job_line(line, {.list = "l", .number = 1}).has_value());
}
