// SPDX-License-Identifier: MIT
#include <leat/http/range.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>

using leat::http::byte_range;
using leat::http::range_answer;
using leat::http::read_content_range;
using leat::http::read_range;
using leat::http::told_range;

namespace {

// "whole", "refused", or "offset+size offset+size ..." of 100 bytes.
std::string parts_of(std::string_view field, std::uint64_t size = 100) {
    const auto asked = read_range(field, size);
    switch (asked.answer) {
        case range_answer::whole:
            return "whole";
        case range_answer::refused:
            return "refused";
        case range_answer::parts:
            break;
    }
    std::string text;
    for (const auto& each : asked.parts) {
        text += (text.empty() ? "" : " ") + std::to_string(each.offset) + "+" + std::to_string(each.size);
    }
    return text;
}

}  // namespace

TEST_CASE("a range is from a byte to a byte, from a byte on, or the last bytes") {
    CHECK(parts_of("bytes=0-0") == "0+1");
    CHECK(parts_of("bytes=0-99") == "0+100");
    CHECK(parts_of("bytes=10-19") == "10+10");
    CHECK(parts_of("bytes=90-") == "90+10");
    CHECK(parts_of("bytes=-1") == "99+1");
    CHECK(parts_of("bytes=-30") == "70+30");
    CHECK(parts_of("BYTES=5-6") == "5+2");
    CHECK(parts_of("bytes=0-1,50-51, ,-2") == "0+2 50+2 98+2");
    CHECK(parts_of("bytes=, 50-51 ,0-1") == "50+2 0+2");
}

TEST_CASE("a range ends with the representation, whatever its last byte is said to be") {
    CHECK(parts_of("bytes=95-100") == "95+5");
    CHECK(parts_of("bytes=-1000") == "0+100");
    CHECK(parts_of("bytes=1-99999999999999999999999999") == "1+99");
    CHECK(parts_of("bytes=-99999999999999999999999999") == "0+100");
    CHECK(parts_of("bytes=0-18446744073709551615", UINT64_MAX) == "0+18446744073709551615");
    CHECK(parts_of("bytes=1-", UINT64_MAX) == "1+18446744073709551614");
}

TEST_CASE("a range behind the end is refused, unless there is another") {
    CHECK(parts_of("bytes=100-") == "refused");
    CHECK(parts_of("bytes=100-200,300-") == "refused");
    CHECK(parts_of("bytes=-0") == "refused");
    CHECK(parts_of("bytes=99999999999999999999999999-") == "refused");
    CHECK(parts_of("bytes=100-200,1-2") == "1+2");
    CHECK(parts_of("bytes=0-", 0) == "whole");
    CHECK(parts_of("bytes=-5", 0) == "whole");
}

TEST_CASE("what is malformed does not count") {
    for (const char* field :
         {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=1", "bytes=2-1", "bytes=a-b", "bytes=1-b",
          "bytes=+1-2", "bytes=1 -2", "bytes=1-2;3-4", "bytes=1--2", "bytes=0-1,x", "bytes =1-2", "lines=1-2",
          "bytes=0x1-2", "bytes:1-2", "bytes=1-2-3"}) {
        CHECK_MESSAGE(parts_of(field) == "whole", field);
    }
}

TEST_CASE("too many ranges are refused, and so are more than two that overlap") {
    std::string many = "bytes=0-0";
    for (std::size_t i = 1; i < leat::http::ranges_max; ++i) {
        many += "," + std::to_string(i) + "-" + std::to_string(i);
    }
    CHECK(read_range(many, 1000).parts.size() == leat::http::ranges_max);
    CHECK(parts_of(many + ",900-", 1000) == "refused");
    CHECK(parts_of("bytes=0-1,2-3,900-,901-", 100) == "0+2 2+2");
    CHECK(read_range("bytes=0-1,2-3", 100, 1).answer == range_answer::refused);
    CHECK(parts_of("bytes=0-,0-") == "0+100 0+100");
    CHECK(parts_of("bytes=0-,5-,99-") == "0+100 5+95 99+1");
    CHECK(parts_of("bytes=0-,1-,2-,3-") == "refused");
    CHECK(parts_of("bytes=50-59,40-50,59-60,0-45") == "refused");
    CHECK(parts_of("bytes=50-59,40-49,60-61,0-39") == "50+10 40+10 60+2 0+40");
}

TEST_CASE("Content-Range says which bytes of how many, or how many there are") {
    CHECK(leat::http::content_range({0, 500}, 1234) == "bytes 0-499/1234");
    CHECK(leat::http::content_range({1233, 1}, 1234) == "bytes 1233-1233/1234");
    CHECK(leat::http::unsatisfied_range(1234) == "bytes */1234");
}

TEST_CASE("a Content-Range tells the part, the length of the whole, or both") {
    CHECK(read_content_range("bytes 0-499/1234") == told_range{byte_range{0, 500}, 1234});
    CHECK(read_content_range("bytes 1233-1233/1234") == told_range{byte_range{1233, 1}, 1234});
    CHECK(read_content_range("Bytes 500-999/*") == told_range{byte_range{500, 500}, std::nullopt});
    CHECK(read_content_range("bytes */1234") == told_range{std::nullopt, 1234});
    CHECK(read_content_range("bytes */0") == told_range{std::nullopt, 0});
    CHECK(read_content_range("bytes 0-18446744073709551613/18446744073709551614") ==
          told_range{byte_range{0, UINT64_MAX - 1}, UINT64_MAX - 1});
    CHECK(read_content_range(leat::http::content_range({7, 3}, 100)) == told_range{byte_range{7, 3}, 100});
    CHECK(read_content_range(leat::http::unsatisfied_range(9)) == told_range{std::nullopt, 9});
}

TEST_CASE("a Content-Range that says something else, or cannot be, says nothing") {
    for (const char* wrong : {
             "",
             "bytes",
             "bytes ",
             "bytes=0-1/2",
             "bytes 0-1",
             "bytes 0-1/",
             "bytes /2",
             "bytes -1/2",
             "bytes 0-/2",
             "bytes */*",
             "bytes 2-1/9",
             "bytes 0-2/2",
             "bytes 0-0/0",
             "bytes  0-1/2",
             "bytes\t0-1/2",
             "bytes 0-1/2 ",
             "bytes 0 -1/2",
             "bytes 0-1/2, 4-5/9",
             "bytes 0-1/2/3",
             "bytes 0-1-2/9",
             "bytes +0-1/2",
             "bytes 0x0-1/2",
             "items 0-1/2",
             "bytes 0-18446744073709551615/*",
             "bytes 0-1/18446744073709551616",
             "bytes 18446744073709551616-18446744073709551617/*",
         }) {
        CAPTURE(wrong);
        CHECK_FALSE(read_content_range(wrong).has_value());
    }
}
