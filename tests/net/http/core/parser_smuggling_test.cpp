// SPDX-License-Identifier: MIT
// Requests that are not as RFC 9110 and 9112 write them, above all those on whose end two readers could
// disagree. All are refused, by either parsing engine, however cut. The list has each kind that Http11Probe
// tries. What of it is taken in a response: leniency_test.cpp.
#include <leat/http/core/parser.hpp>

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
    refuse_all<detail::request_parser>({
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
        {"GET / HTTP/1.10" + rest, error::malformed_start_line},
        {"GET / HTTP/1" + rest, error::malformed_start_line},
        {"GET / HTTP/1." + rest, error::malformed_start_line},
        {"GET / HTTP/2" + rest, error::malformed_start_line},
        {"GET / HTTP/01.1" + rest, error::malformed_start_line},
        {"GET / HTTP/01.01" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1,1" + rest, error::malformed_start_line},
        {"GET / HTTP/ 1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/9.9" + rest, error::unsupported_version},
        {"PRI * HTTP/2.0" + rest, error::unsupported_version},
        {"GET / HTTP/0.9" + rest, error::unsupported_version},
        {"GET / HTTP/3.0" + rest, error::unsupported_version},
        {"GET / HTTP/x.1" + rest, error::malformed_start_line},
        {"GET / RTSP/1.0" + rest, error::malformed_start_line},
        {"G@T / HTTP/1.1" + rest, error::malformed_start_line},
        {"GE\xc3\xa9 / HTTP/1.1" + rest, error::malformed_start_line},
        {"GET HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /a b HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /\xc0\xaf HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /\x7f HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /a\rb HTTP/1.1" + rest, error::malformed_start_line},
        {"GET / HTTP/1.1\rHost: x\r\n\r\n", error::malformed_start_line},
        {" \r\n\r\n", error::malformed_start_line},
        {"GET /a\tb HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /a\x01 HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /\xc3\xa9 HTTP/1.1" + rest, error::malformed_start_line},
        {"GET /#top HTTP/1.1" + rest, error::malformed_start_line},
        {std::string("GET /\0 HTTP/1.1", 15) + rest, error::malformed_start_line},
    });
}

// RFC 9112 3.2: each method has its form of target.
TEST_CASE("targets of a form that the method cannot have are refused") {
    const auto refuse = [](const std::string& start) {
        CAPTURE(start);
        const std::string line =
            record_every_way<detail::request_parser>(start + " HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(line == "error: " + make_error_code(error::malformed_start_line).message());
    };
    for (const char* start : {"GET *",
                              "POST *",
                              "PRI *",
                              "OPTIONS **",
                              "OPTIONS *?q",
                              "GET x",
                              "GET x/y",
                              "GET ?q",
                              "GET x:80",
                              "GET :",
                              "GET http:",
                              "GET http:/x/",
                              "GET http://",
                              "GET http:///x",
                              "GET http://?q",
                              "GET http://u@x/",
                              "GET http://u:p@x/",
                              "GET http://x:y/",
                              "GET http://x:99999/",
                              "GET http://[::1/",
                              "GET http://a,b/",
                              "GET ://x/",
                              "GET 1http://x/",
                              "GET h^p://x/",
                              "GET mailto:x",
                              "GET http://x/#top",
                              "CONNECT /",
                              "CONNECT x",
                              "CONNECT x:",
                              "CONNECT :443",
                              "CONNECT x:99999",
                              "CONNECT x:443/",
                              "CONNECT u@x:443",
                              "CONNECT *",
                              "CONNECT http://x:443",
                              "CONNECT [::1]",
                              "CONNECT ::1:443"}) {
        refuse(start);
    }
    for (const char* start :
         {"GET /", "GET /*", "GET //x", "GET /http://u@x/", "GET http://x", "GET ftp://x/y", "OPTIONS *",
          "OPTIONS /", "CONNECT x:443", "CONNECT [::1]:443"}) {
        CAPTURE(start);
        const std::string line =
            record<detail::request_parser>({std::string(start) + " HTTP/1.1\r\nHost: x\r\n\r\n"});
        CHECK(line.find("error") == line.npos);
    }
}

TEST_CASE("malformed header lines are refused") {
    refuse_all<detail::request_parser>({
        {get("Content-Length : 5"), error::malformed_header},
        {get("Content-Length\t: 5"), error::malformed_header},
        {get(" Content-Length: 5"), error::malformed_header},
        {"GET / HTTP/1.1\r\n \r\nHost: x\r\n\r\n", error::malformed_header},
        {get("Bad[Name: b"), error::malformed_header},
        {get("Content\tLength: 9"), error::malformed_header},
        {get("A: b\x07\x08\x0b"), error::malformed_header},
        {get("Transfer-Encoding:\r\n chunked"), error::malformed_header},
        {get("Transfer-Encoding : chunked"), error::malformed_header},
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
    refuse_all<detail::request_parser>({
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
        {get("Transfer-Encoding: gzip;level=9"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: xchunked"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: identity"), error::unsupported_transfer_encoding},
        {get("Transfer-Encoding: chunked, gzip"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked, identity"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked, chunked"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked, gzip, chunked"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: \"chunked\""), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked;q=1"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked;"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: , chunked"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked,"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: x y"), error::bad_transfer_encoding},
        {get("Transfer-Encoding:"), error::bad_transfer_encoding},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), error::conflicting_lengths},
        {get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), error::unsupported_transfer_encoding},
        {get("Content-Length: 5\r\nTransfer-Encoding: xchunked"), error::conflicting_lengths},
        {get("Content-Length: -0"), error::bad_content_length},
        {get("Content-Length: 1_0"), error::bad_content_length},
        {get("Content-Length: 0o5"), error::bad_content_length},
        {get("Content-Length: 1 0"), error::bad_content_length},
        {get("Content-Length: 5, 10"), error::bad_content_length},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), error::conflicting_lengths},
        {get("Transfer-Encoding: \x0b"
             "chunked"),
         error::malformed_header},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", error::bad_transfer_encoding},
    });
}

TEST_CASE("malformed chunks are refused") {
    refuse_all<detail::request_parser>({
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
        {chunked("5;\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;;a\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a;\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;=b\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=b=c\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a \r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=b \r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a b\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=b c\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5 a\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;bad[=x\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=\"b\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;a=\"b\\\"\r\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5;\nhello\r\n0\r\n\r\n"), error::bad_chunk},
        {chunked("5\r\nhello!!\r\n0\r\n\r\n"), error::bad_chunk},
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
    CHECK(record<detail::request_parser>({extension}).ends_with(make_error_code(error::bad_chunk).message()));
    const std::string zeros = chunked(std::string(20000, '0') + "5\r\nhello\r\n0\r\n\r\n");
    CHECK(record<detail::request_parser>({zeros}).ends_with(make_error_code(error::bad_chunk).message()));
    std::string many;
    for (int i = 0; i < 5000; ++i) {
        many += "1;0123456789\r\na\r\n";
    }
    CHECK(record<detail::request_parser>({chunked(many)})
              .ends_with(make_error_code(error::bad_chunk).message()));
    const std::string trailer = chunked("0\r\nA: " + std::string(100000, 'x') + "\r\n\r\n");
    CHECK(record<detail::request_parser>({trailer}).ends_with(
        make_error_code(error::trailers_too_large).message()));
}

TEST_CASE("a request names its host once, and as a host with perhaps a port") {
    for (const char* host : {"",
                             "a b",
                             "a,b",
                             "a/b",
                             "a/",
                             "u@a",
                             "u:p@a",
                             "a:b",
                             "a:99999",
                             "a:65536",
                             "a:-1",
                             "a:1:2",
                             ":80",
                             ":",
                             "]:[",
                             "[",
                             "]",
                             "[]",
                             "[::1",
                             "::1",
                             "[::1]x",
                             "[::1]x:80",
                             "[::1]:x",
                             "[1.2.3.4]",
                             "[fe80::1%eth0]",
                             "[fe80::1%25eth0]",
                             "[::1]]",
                             "a[b]",
                             "a?",
                             "a#",
                             "a\\",
                             "a|",
                             "a%",
                             "a%2",
                             "a%zz",
                             "\xc3\xa9"}) {
        CAPTURE(host);
        refuse_all<detail::request_parser>(
            {{"GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", error::bad_host}});
    }
    for (const char* host : {"a", "a.", "a:", "a:0", "a:65535", "a:00080", "A_b-c.d~e", "1.2.3.4:80", "[::1]",
                             "[::1]:80", "[2001:db8::1.2.3.4]", "a%41", "!$&'()*+;="}) {
        CAPTURE(host);
        const std::string line =
            record<detail::request_parser>({"GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"});
        CHECK(line == "GET / [Host=" + std::string(host) + "]; end");
    }
    refuse_all<detail::request_parser>({
        {"GET / HTTP/1.1\r\n\r\n", error::bad_host},
        {"GET http://a/ HTTP/1.1\r\n\r\n", error::bad_host},
        {"OPTIONS * HTTP/1.1\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", error::bad_host},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", error::bad_host},
    });
}
