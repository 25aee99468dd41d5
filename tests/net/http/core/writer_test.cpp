// SPDX-License-Identifier: MIT
#include <leat/http/core/writer.hpp>

#include <leat/http/core/parser.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace leat::http;

TEST_CASE("a request head is written with its fields as they are") {
    request head;
    head.target = "/a?b";
    head.headers.add("Host", "x");
    head.headers.add("Accept", "*/*");
    std::string out = "before ";
    detail::append_head(out, head);
    CHECK(out == "before GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
    head.version = version::http_1_0;
    head.headers.clear();
    out.clear();
    detail::append_head(out, head);
    CHECK(out == "GET /a?b HTTP/1.0\r\n\r\n");
}

TEST_CASE("a response head is written with the usual reason, or its own") {
    response head;
    head.status = 404;
    head.headers.add("Content-Length", "0");
    std::string out;
    detail::append_head(out, head);
    CHECK(out == "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    head.reason = "Gone Fishing";
    head.headers.clear();
    out.clear();
    detail::append_head(out, head);
    CHECK(out == "HTTP/1.1 404 Gone Fishing\r\n\r\n");
    head.status = 299;
    head.reason.clear();
    out.clear();
    detail::append_head(out, head);
    CHECK(out == "HTTP/1.1 299 \r\n\r\n");
}

TEST_CASE("what would not be one well-formed head is refused, and nothing is written") {
    std::string out;
    for (const char* target : {"", "/a b", "/a\r\nEvil: 1", "/a\n", "/\xc3\xa9", "/a#b", "/\x7f"}) {
        CAPTURE(target);
        request head;
        head.target = target;
        CHECK_THROWS_AS(detail::append_head(out, head), std::invalid_argument);
    }
    for (const char* method : {"", "GET /x", "G\r\n", "G\tT", "G:"}) {
        CAPTURE(method);
        request head;
        head.method = method;
        CHECK_THROWS_AS(detail::append_head(out, head), std::invalid_argument);
    }
    for (const int status : {-1, 0, 99, 1000}) {
        response head;
        head.status = status;
        CHECK_THROWS_WITH_AS(detail::append_head(out, head),
                             doctest::Contains(std::to_string(status).c_str()), std::invalid_argument);
    }
    response head;
    head.reason = "OK\r\nEvil: 1";
    CHECK_THROWS_AS(detail::append_head(out, head), std::invalid_argument);
    CHECK(out.empty());
}

TEST_CASE("a head can be written part by part") {
    std::string out;
    detail::append_status_line(out, 200);
    detail::append_field(out, "Server", "x");
    detail::append_field(out, "Content-Length", std::uint64_t{18446744073709551615U});
    detail::append_blank_line(out);
    CHECK(out == "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 18446744073709551615\r\n\r\n");
    out.clear();
    detail::append_status_line(out, 200, {}, version::http_1_0);
    detail::append_status_line(out, 503);
    detail::append_status_line(out, 599);
    CHECK(out == "HTTP/1.0 200 OK\r\nHTTP/1.1 503 Service Unavailable\r\nHTTP/1.1 599 \r\n");
}

TEST_CASE("what the writer writes the parser reads") {
    response head;
    head.headers.add("Transfer-Encoding", "chunked");
    head.headers.add("X", "y");
    std::string out;
    detail::append_head(out, head);
    detail::append_chunk(out, "hello ");
    detail::append_chunk(out, "");
    detail::append_chunk(out, std::string(300, 'x'));
    out += detail::last_chunk;
    detail::response_parser parser;
    std::string_view input = out;
    std::string body;
    for (detail::progress step = detail::progress::more; step != detail::progress::end;) {
        step = parser.next(input).value();
        body += parser.body();
    }
    CHECK(parser.message().status == 200);
    CHECK(parser.message().reason == "OK");
    CHECK(parser.message().headers.wire() == head.headers.wire());
    CHECK(body == "hello " + std::string(300, 'x'));
    CHECK(input.empty());
}

TEST_CASE("a chunk is framed by its size in hexadecimal") {
    std::string out;
    detail::append_chunk(out, "0123456789abcdefg");
    CHECK(out == "11\r\n0123456789abcdefg\r\n");
    CHECK(detail::chunk_size_line(0).text() == "0\r\n");
    CHECK(detail::chunk_size_line(10).text() == "a\r\n");
    CHECK(detail::chunk_size_line(SIZE_MAX).text() == "ffffffffffffffff\r\n");
}

TEST_CASE("credentials are written as RFC 7617 and RFC 4648 have them") {
    CHECK(detail::basic_authorization("Aladdin:open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(detail::basic_authorization("") == "Basic ");
    CHECK(detail::basic_authorization("f") == "Basic Zg==");
    CHECK(detail::basic_authorization("fo") == "Basic Zm8=");
    CHECK(detail::basic_authorization("foo") == "Basic Zm9v");
    CHECK(detail::basic_authorization("foobar") == "Basic Zm9vYmFy");
    CHECK(detail::basic_authorization(std::string("\0\xff\xfe", 3)) == "Basic AP/+");
}

TEST_CASE("a date is written as RFC 9110 has it, and remade when the second changes") {
    using namespace std::chrono;
    detail::date_text date;
    const sys_seconds example = sys_days(1994y / November / 6) + 8h + 49min + 37s;
    CHECK(date.at(example) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(date.at(example + 999ms) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(date.at(example + 1s) == "Sun, 06 Nov 1994 08:49:38 GMT");
    CHECK(date.at(system_clock::time_point()) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(date.at(sys_days(2024y / February / 29) + 23h + 59min + 59s) == "Thu, 29 Feb 2024 23:59:59 GMT");
    CHECK(date.at(sys_days(2024y / February / 29) + 24h) == "Fri, 01 Mar 2024 00:00:00 GMT");
    CHECK(date.at(sys_days(2000y / December / 31)) == "Sun, 31 Dec 2000 00:00:00 GMT");
}
