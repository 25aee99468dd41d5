// SPDX-License-Identifier: MIT
// Messages on whose end two readers could disagree. All are refused, by either parsing engine, however cut.
#include <leat/http/parser.hpp>

#include "parser_recorder.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace leat::http;

namespace {

struct bad_case {
    std::string text;
    error expected;
};

template <typename Parser>
void refuse_all(const std::vector<bad_case>& cases) {
    for (const auto& each : cases) {
        CAPTURE(each.text);
        const std::string line = record_every_way<Parser>(each.text);
        CHECK_MESSAGE(line.ends_with("error: " + make_error_code(each.expected).message()), line);
        CHECK_MESSAGE(line.find("INSTEAD") == std::string::npos, line);
        CHECK_MESSAGE(line.find("end") != 0, line);
    }
}

std::string get(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n";
}
std::string chunked(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("start lines that are not exactly HTTP/1 are refused") {
    const std::string rest = "\r\nHost: x\r\n\r\n";
    refuse_all<request_parser>({
        {"GET  / HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /  HTTP/1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1 " + rest, error::malformed_start_line},
        {"GET\t/ HTTP/1.1" + rest, error::malformed_start_line},
        {" GET / HTTP/1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1\n\r\n", error::malformed_start_line},
        {"\nGET / HTTP/1.1" + rest, error::malformed_start_line},
        {"\r\n\nGET / HTTP/1.1" + rest, error::malformed_start_line},
        {"\r\n\rGET / HTTP/1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1\rX\r\n\r\n", error::malformed_start_line},
        {"GET / HTTP/1.1\nHost: x\n\n", error::malformed_start_line},
        {"GET /", error::truncated_head},
        {"GET /" + rest, error::malformed_start_line},
        {"GET" + rest, error::malformed_start_line},
        {"GET / http/1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1x" + rest, error::malformed_start_line},
        {"GET / HTTP/1.10" + rest, error::unsupported_version},
        {"GET / HTTP/0.9" + rest, error::unsupported_version},
        {"GET / HTTP/3.0" + rest, error::unsupported_version},
        {"GET / HTTP/x.1" + rest, error::malformed_start_line},
        {"GET / RTSP/1.0" + rest, error::malformed_start_line},
        {"NOSUCHMETHOD / HTTP/1.1" + rest, error::malformed_start_line},
        {"get / HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /a\tb HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /a\x01 HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /\xc3\xa9 HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /#top HTTP/1.1" + rest, error::malformed_start_line},
        {std::string("GET /\0 HTTP/1.1", 15) + rest, error::malformed_start_line},
    });
    refuse_all<response_parser>({
        {"\r\nHTTP/1.1 200 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1  200 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1 20 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1 2000 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1 -20 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1 099 OK" + rest, error::malformed_start_line},
        {"HTTP/1.1 200\tOK" + rest, error::malformed_start_line},
        {"HTTP/1.1" + rest, error::malformed_start_line},
        {"HTTP/1.1 " + rest, error::malformed_start_line},
        {"HTTP/1.1 200 O\x01K" + rest, error::malformed_start_line},
        {"HTTP/1.1 200 O\rK" + rest, error::malformed_start_line},
        {"ICY 200 OK" + rest, error::malformed_start_line},
        {"HTTP 200 OK" + rest, error::malformed_start_line},
    });
}

TEST_CASE("malformed header lines are refused") {
    refuse_all<request_parser>({
        {get("Content-Length : 5"), error::malformed_header},
        {get("Content-Length\t: 5"), error::malformed_header},
        {get(" Content-Length: 5"), error::malformed_header},
        {get("A: b\r\n c"), error::malformed_header},
        {get("A: b\r\n\tTransfer-Encoding: chunked"), error::malformed_header},
        {get("A: b\nTransfer-Encoding: chunked"), error::malformed_header},
        {get("A: b\rTransfer-Encoding: chunked"), error::malformed_header},
        {get("A: b\r\r\n"), error::malformed_header},
        {get("A: b\n"), error::malformed_header},
        {get("A\rB: c"), error::malformed_header},
        {get("A(b): c"), error::malformed_header},
        {get("A\xc3\xa9: c"), error::malformed_header},
        {get("no colon"), error::malformed_header},
        {get("NoColon"), error::malformed_header},
        {get(": no name"), error::malformed_header},
        {get("A: \x01"), error::malformed_header},
        {get("A: \x7f"), error::malformed_header},
        {get(std::string("A: b\0c", 6)), error::malformed_header},
        {get(std::string("A\0: b", 5)), error::malformed_header},
        {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", error::malformed_header},
        {"GET / HTTP/1.1\r\nHost: x\r\n\n\r\n", error::malformed_header},
        {"GET / HTTP/1.1\r\nHost: x\r\n\nA: b\r\n\r\n", error::malformed_header},
        {"GET / HTTP/1.1\r\nHost: x\r\n\n", error::malformed_header},
    });
}

TEST_CASE("messages of two lengths, or of one that is no number, are refused") {
    refuse_all<request_parser>({
        {get("Content-Length: 5\r\nTransfer-Encoding: chunked"), error::conflicting_lengths},
        {get("Transfer-Encoding: chunked\r\nContent-Length: 5"), error::conflicting_lengths},
        {get("Content-Length: 5\r\nContent-Length: 6"), error::conflicting_lengths},
        {get("Content-Length: 5\r\nContent-Length: 5"), error::conflicting_lengths},
        {get("Content-Length: -1"), error::bad_content_length},
        {get("Content-Length: +1"), error::bad_content_length},
        {get("Content-Length: 0x5"), error::bad_content_length},
        {get("Content-Length: 5, 5"), error::bad_content_length},
        {get("Content-Length: 5 5"), error::bad_content_length},
        {get("Content-Length: 5;"), error::bad_content_length},
        {get("Content-Length:"), error::bad_content_length},
        {get("Content-Length: a"), error::bad_content_length},
        {get("Content-Length: 18446744073709551616"), error::bad_content_length},
        {get("Content-Length: 99999999999999999999999"), error::bad_content_length},
        {get("Transfer-Encoding: gzip"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: gzip, chunked"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: chunked, gzip"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: chunked, chunked"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: xchunked"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: \"chunked\""), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: chunked;q=1"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: identity"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding:"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), error::conflicting_lengths},
        {get("Transfer-Encoding: \x0b"
             "chunked"),
         error::malformed_header},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         error::unsupported_transfer_encoding},
    });
    refuse_all<response_parser>({
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         error::conflicting_lengths},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
         error::conflicting_lengths},
        {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", error::bad_content_length},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", error::unsupported_transfer_encoding},
    });
}

TEST_CASE("malformed chunks are refused") {
    refuse_all<request_parser>({
        {chunked("\r\n"), error::bad_chunk},
        {chunked("x\r\n"), error::bad_chunk},
        {chunked("-5\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("+5\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("0x5\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked(" 5\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5 \r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5_0\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked(";x\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\rXhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\r\nhelloX\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\r\nhello\rX0\r\n\r\n"), error::bad_chunk},
        {chunked("5\r\nhello\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\r\nhello0\r\n\r\n"), error::bad_chunk},
        {chunked("4\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a\r0\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;\x01\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("fffffffffffffffff\r\n"), error::bad_chunk},
        {chunked("00000000000000000000000000ffffffffffffffff\r\n"), error::bad_chunk},
        {chunked("0\r\nX\r\n\r\n"), error::bad_chunk},
        {chunked("0\r\n: x\r\n\r\n"), error::bad_chunk},
        {chunked("0\r\nA : x\r\n\r\n"), error::bad_chunk},
        {chunked("0\r\n A: x\r\n\r\n"), error::bad_chunk},
        {chunked("0\r\nA: x\r\n y\r\n\r\n"), error::bad_chunk},
        {chunked("0\r\nA: x\n\r\n"), error::bad_chunk},
        {chunked("0\r\nA: x\rB: y\r\n\r\n"), error::bad_chunk},
        {chunked("0\n\r\n"), error::bad_chunk},
        {chunked("0\r\n\n"), error::bad_chunk},
        {chunked("0\r\n\rX"), error::bad_chunk},
        {chunked("5\r\nhello\r\n"), error::truncated_body},
        {chunked("0\r\n"), error::truncated_body},
        {chunked(""), error::truncated_body},
    });
}

TEST_CASE("endless chunk extensions and trailers are cut off") {
    const std::string extension = chunked("5;" + std::string(20000, 'x') + "\r\nhello\r\n0\r\n\r\n");
    CHECK(record<request_parser>({extension}).ends_with(make_error_code(error::bad_chunk).message()));
    std::string many;
    for (int i = 0; i < 5000; ++i) {
        many += "1;0123456789\r\na\r\n";
    }
    CHECK(record<request_parser>({chunked(many)}).ends_with(make_error_code(error::bad_chunk).message()));
    const std::string trailer = chunked("0\r\nA: " + std::string(100000, 'x') + "\r\n\r\n");
    CHECK(record<request_parser>({trailer}).ends_with(make_error_code(error::trailers_too_large).message()));
}

TEST_CASE("a request names its host once") {
    refuse_all<request_parser>({
        {"GET / HTTP/1.1\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", error::bad_host},
    });
}
