// SPDX-License-Identifier: MIT
#include <leat/http/core/chunked_body.hpp>

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <string>

using leat::http::detail::chunked_body;

TEST_CASE("the chunks of a body come out joined, and the bytes behind it stay") {
    chunked_body body;
    std::string_view input = "3\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nrest";
    std::string joined;
    while (!body.done()) {
        joined += body.next(input).value();
    }
    CHECK(joined == "abc0123456789");
    CHECK(input == "rest");
    CHECK(body.next(input).value().empty());
    CHECK(input == "rest");
}

TEST_CASE("an input that runs out between or inside chunks gives nothing more") {
    chunked_body body;
    std::string_view input = "5\r\nab";
    CHECK(body.next(input).value() == "ab");
    CHECK(body.next(input).value().empty());
    CHECK_FALSE(body.done());
    input = "cde\r";
    CHECK(body.next(input).value() == "cde");
    CHECK(body.next(input).value().empty());
    input = "\n0\r\n\r\n";
    CHECK(body.next(input).value().empty());
    CHECK(body.done());
}

TEST_CASE("a chunk may be larger than memory, and a size beyond reason is refused") {
    chunked_body body;
    std::string_view input = "0fffffffffffffff\r\nab";
    CHECK(body.next(input).value() == "ab");
    chunked_body refused;
    input = "1000000000000000\r\nab";
    CHECK(refused.next(input).error() == leat::http::error::bad_chunk);
}

TEST_CASE("trailers may fill their limit and no more") {
    const std::string text = "0\r\nA: b\r\n\r\n";
    const std::size_t trailers = text.size() - 3;
    chunked_body enough(trailers);
    std::string_view input = text;
    CHECK(enough.next(input).ok());
    CHECK(enough.done());
    chunked_body short_of_one(trailers - 1);
    input = text;
    CHECK(short_of_one.next(input).error() == leat::http::error::trailers_too_large);
}
