// SPDX-License-Identifier: MIT
#include <fetch/engine/resume.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

using fetch::brings;

leat::http::response answer_with(int status, std::string_view content_range, std::string_view etag = "") {
    leat::http::response made;
    made.status = status;
    if (!content_range.empty()) {
        made.headers.add("Content-Range", content_range);
    }
    if (!etag.empty()) {
        made.headers.add("ETag", etag);
    }
    return made;
}

const fetch::file_origin known_file{.etag = "\"v1\"", .size = 1000};

brings of_part(std::string_view content_range, std::string_view etag = "") {
    return fetch::meaning_of(answer_with(206, content_range, etag), 600, known_file).what;
}

}  // namespace

TEST_CASE("a part is put behind what is there only where it belongs there") {
    CHECK(of_part("bytes 600-999/1000") == brings::rest);
    CHECK(of_part("bytes 600-799/1000", "\"v1\"") == brings::rest);
    CHECK(of_part("bytes 600-999/*") == brings::rest);
    CHECK(of_part("bytes 600-999/1000", "\"v2\"") == brings::doubt);
    CHECK(of_part("bytes 600-1000/1001") == brings::doubt);
    CHECK(of_part("bytes 599-999/1000") == brings::nonsense);
    CHECK(of_part("bytes 601-999/1000") == brings::nonsense);
    CHECK(of_part("bytes */1000") == brings::nonsense);
    CHECK(of_part("600-999") == brings::nonsense);
    CHECK(of_part("") == brings::nonsense);
    CHECK(fetch::meaning_of(answer_with(206, "bytes 600-999/*"), 600, known_file).size == 1000);
}

TEST_CASE("what a 416 says is believed where it says that nothing is missing") {
    const auto of_refusal = [](std::string_view content_range, std::uint64_t from) {
        return fetch::meaning_of(answer_with(416, content_range), from, known_file).what;
    };
    CHECK(of_refusal("bytes */1000", 1000) == brings::nothing);
    CHECK(of_refusal("bytes */1000", 999) == brings::doubt);
    CHECK(of_refusal("bytes */999", 999) == brings::doubt);
    CHECK(of_refusal("", 1000) == brings::doubt);
}

TEST_CASE("another answer brings the whole") {
    CHECK(fetch::meaning_of(answer_with(200, ""), 600, known_file).what == brings::whole);
    CHECK(fetch::meaning_of(answer_with(200, "bytes 600-999/1000"), 600, known_file).what == brings::whole);
}

TEST_CASE("a part is that which was asked for only when the answer says so to the letter") {
    const auto brings_part = [](int status, std::string_view content_range) {
        return fetch::is_part(answer_with(status, content_range), {.begin = 100, .end = 200}, 1000);
    };
    CHECK(brings_part(206, "bytes 100-199/1000"));
    CHECK_FALSE(brings_part(206, "bytes 100-199/*"));
    CHECK_FALSE(brings_part(200, "bytes 100-199/1000"));
    CHECK_FALSE(brings_part(206, ""));
    CHECK_FALSE(brings_part(206, "bytes 100-200/1000"));
    CHECK_FALSE(brings_part(206, "bytes 101-199/1000"));
    CHECK_FALSE(brings_part(206, "bytes 100-199/1001"));
    CHECK_FALSE(brings_part(416, "bytes */1000"));
}

TEST_CASE("a time tells a state of a file only when the answer is at least a second younger") {
    const auto origin = [](std::string_view modified, std::string_view date) {
        leat::http::response made;
        made.headers.add("Last-Modified", modified);
        if (!date.empty()) {
            made.headers.add("Date", date);
        }
        return fetch::origin_of(made).last_modified;
    };
    const std::string time = "Tue, 01 Dec 2026 10:00:00 GMT";
    CHECK(origin(time, "Tue, 01 Dec 2026 10:00:01 GMT") == time);
    CHECK(origin(time, time) == "");
    CHECK(origin(time, "Tue, 01 Dec 2026 09:00:00 GMT") == "");
    CHECK(origin(time, "") == "");
    CHECK(origin("yesterday", "Tue, 01 Dec 2026 10:00:01 GMT") == "");
}

TEST_CASE("the rest is asked for by a strong tag, else by the time") {
    leat::http::headers fields{{"Range", "bytes=0-0"}};
    fetch::ask_for_rest(fields, 600, known_file);
    CHECK(fields.wire() == "Range: bytes=600-\r\nIf-Range: \"v1\"\r\n");
    const std::string time = "Tue, 01 Dec 2026 10:00:00 GMT";
    fetch::ask_for_rest(fields, 7, {.etag = "W/\"v1\"", .last_modified = time});
    CHECK(fields.wire() == "Range: bytes=7-\r\nIf-Range: " + time + "\r\n");
}
