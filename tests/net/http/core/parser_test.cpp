// SPDX-License-Identifier: MIT
#include <leat/http/core/parser.hpp>

#include "parser_recorder.hpp"

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <string>

using namespace leat::http;

namespace {

std::string requests(std::string_view input, recorder_options options = {}) {
    return record_every_way<detail::request_parser>(input, options);
}
std::string responses(std::string_view input, recorder_options options = {}) {
    return record_every_way<detail::response_parser>(input, options);
}
std::string error_line(error value) {
    return "error: " + make_error_code(value).message();
}

}  // namespace

TEST_CASE("trailers of a request are kept, but for those that say how a message is read") {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string read = "POST / [Host=x] [Transfer-Encoding=chunked]; ";
    CHECK(requests(head + "1\r\na\r\n0\r\nA: b \r\nHost: y\r\nA:\r\ncontent-length: 3\r\n\r\n" + head +
                   "0\r\n\r\n") == read + "body a; trailers [A=b] [A=]; end; " + read + "end");
    CHECK(requests(head + "0\r\na:b\r\nc:d\r\ne:f\r\n\r\n", {.limits = {.fields = 2}}) ==
          read + error_line(error::too_many_headers));
    CHECK(requests(head + "0\r\nHost:b\r\nc:d\r\n\r\n", {.limits = {.fields = 2}}) ==
          read + "trailers [c=d]; end");
}

TEST_CASE("trailers of a response are kept, but for those that are no field or say how it is read") {
    const std::string head = "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string read = "200 [Transfer-Encoding=chunked]; ";
    CHECK(responses(head + "1\r\na\r\n0\r\nA: b \r\nAge: 1\r\n?\r\nC : d\r\nE:\n\r\n" + head + "0\r\n\n") ==
          read + "body a; trailers [A=b] [E=]; end; " + read + "end");
    CHECK(responses(head + "0\r\na:b\r\nc:d\r\ne:f\r\n\r\n", {.limits = {.fields = 2}}) ==
          read + error_line(error::too_many_headers));
}

TEST_CASE("requests come out whole however their bytes are cut") {
    CHECK(requests("GET /a?b HTTP/1.1\r\nHost: x\r\nAccept:  */* \t\r\nX-Empty:\r\n\r\n") ==
          "GET /a?b [Host=x] [Accept=*/*] [X-Empty=]; end");
    CHECK(requests("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello") ==
          "POST / [Host=x] [Content-Length=5]; body hello; end");
    CHECK(
        requests("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n") ==
        "POST / [Host=x] [Transfer-Encoding=Chunked]; body hello; end");
    CHECK(requests("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") == "OPTIONS * [Host=x]; end");
    CHECK(requests("POST / HTTP/1.1\r\nHost: [::1]:8001\r\nContent-Length: 0\r\n\r\n") ==
          "POST / [Host=[::1]:8001] [Content-Length=0]; end");
    CHECK(requests("PATCH /%20~!$&'()*+,;=:@{|}\"\\ HTTP/1.1\r\nHost: x\r\n\r\n") ==
          "PATCH /%20~!$&'()*+,;=:@{|}\"\\ [Host=x]; end");
    CHECK(requests("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5;a;b=c;d=\"e;\\\"\" ;\tf = g\r\nhello\r\n0\r\nA: b\r\n\r\n") ==
          "POST / [Host=x] [Transfer-Encoding=chunked]; body hello; trailers [A=b]; end");
}

TEST_CASE("any token is a method: whether it is known is the server's question") {
    CHECK(requests("NOSUCHMETHOD / HTTP/1.1\r\nHost: x\r\n\r\n") == "NOSUCHMETHOD / [Host=x]; end");
    CHECK(requests("get / HTTP/1.1\r\nHost: x\r\n\r\n") == "get / [Host=x]; end");
    CHECK(requests("M-SEARCH! / HTTP/1.1\r\nHost: x\r\n\r\n") == "M-SEARCH! / [Host=x]; end");
}

// http-parser 2.9 has such a field for a length, and refuses it.
TEST_CASE("a field whose name only begins like one of a length is any field") {
    CHECK(requests("GET / HTTP/1.1\r\nHost: x\r\nTransfer-EncodingX: a\r\nContent-LengthX: b\r\n\r\n") ==
          "GET / [Host=x] [Transfer-EncodingX=a] [Content-LengthX=b]; end");
    CHECK(requests("GET / HTTP/1.1\r\nHost: x\r\nTransfer-EncodingX: a\r\nA: 1\r\n\r\n",
                   {.limits = {.fields = 2}}) == error_line(error::too_many_headers));
}

TEST_CASE("a later version of HTTP/1 is read as 1.1") {
    CHECK(requests("GET / HTTP/1.2\r\nHost: x\r\n\r\n") == "GET / [Host=x]; end");
    CHECK(requests("GET / HTTP/1.9\r\n\r\n") == error_line(error::bad_host));
    CHECK(responses("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n") == "200 [Content-Length=0]; end");
}

TEST_CASE("the host of a whole URL as the target replaces the Host field") {
    CHECK(requests("GET http://x/y HTTP/1.1\r\nhost: z:80\r\nA: b\r\n\r\n") ==
          "GET http://x/y [A=b] [Host=x]; end");
    CHECK(requests("GET http://x:81?q HTTP/1.1\r\nHost: x:81\r\nA: b\r\n\r\n") ==
          "GET http://x:81?q [Host=x:81] [A=b]; end");
    CHECK(requests("GET HTTP://[::1] HTTP/1.0\r\n\r\n") == "GET HTTP://[::1] 1.0 [Host=[::1]]; end close");
}

TEST_CASE("requests follow each other on one connection") {
    const std::string one = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string two = "PUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    const std::string three = "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    CHECK(requests(one + two + "\r\n\r\n" + three + one) ==
          "GET /1 [Host=x]; end; PUT /2 [Host=x] [Content-Length=2]; body ab; end; "
          "GET /3 [Host=x] [Connection=close]; end close");
}

TEST_CASE("a connection persists as its version and Connection fields say") {
    CHECK(requests("GET / HTTP/1.0\r\n\r\n") == "GET / 1.0; end close");
    CHECK(requests("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") ==
          "GET / 1.0 [Connection=Keep-Alive]; end");
    CHECK(requests("GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n") ==
          "GET / [Host=x] [Connection=x, Close]; end close");
    CHECK(requests("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n") ==
          "GET / [Host=x] [Connection=keep-alive] [Connection=close]; end close");
    CHECK(responses("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n") ==
          "200 1.0 [Content-Length=0]; end close");
    CHECK(responses("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n") ==
          "200 1.0 [Content-Length=0] [Connection=keep-alive]; end");
    CHECK(responses("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nab") ==
          "200 1.0 [Connection=keep-alive]; body ab; end close");
}

TEST_CASE("another protocol may begin behind a request or a response") {
    CHECK(requests("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03") == "CONNECT x:443 [Host=x]; end");
    CHECK(requests("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81") ==
          "GET / [Host=x] [Upgrade=websocket] [Connection=Upgrade]; end");
    CHECK(responses("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest") ==
          "101 [Upgrade=x] [Connection=upgrade]; end upgrade");
    CHECK(responses("HTTP/1.1 200 OK\r\n\r\nrest", {.method = "CONNECT"}) == "200; end upgrade");
    CHECK(responses("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", {.method = "CONNECT"}) ==
          "407 [Content-Length=2]; body no; end");

    detail::response_parser parser;
    std::string_view input = "HTTP/1.1 101 Switching\r\n\r\nrest";
    CHECK(parser.next(input).value() == detail::progress::head);
    CHECK(parser.next(input).value() == detail::progress::end);
    CHECK(input == "rest");
}

TEST_CASE("a response ends where its length says") {
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") ==
          "200 [Content-Length=5]; body hello; end");
    CHECK(responses("HTTP/1.1 404 Not Found\r\nContent-Length: 00000000000000000002\r\n\r\nno") ==
          "404 [Content-Length=00000000000000000002]; body no; end");
    CHECK(responses("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") == "200 [Content-Length=0]; end");
    CHECK(responses("HTTP/1.1 200 \r\n\r\nuntil the end\r\n") == "200; body until the end\r\n; end close");
    CHECK(responses("HTTP/1.1 200 caf\xc3\xa9\r\n\r\n") == "200; end close");
    CHECK(responses("HTTP/1.1 299 Custom\r\ntransfer-encoding:chunked\r\n\r\n"
                    "1\r\na\r\n00A;ext=\"x;y\";z\r\n0123456789\r\n0\r\nDigest: x\r\nEmpty:\r\n\r\n") ==
          "299 [transfer-encoding=chunked]; body a0123456789; trailers [Digest=x] [Empty=]; end");
}

TEST_CASE("a response that cannot have a body has none, whatever its fields say") {
    const std::string next = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    CHECK(responses("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n" + next) ==
          "204 [Content-Length=5]; end; 200 [Content-Length=0]; end");
    CHECK(responses("HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n" + next) ==
          "304 [Transfer-Encoding=chunked]; end; 200 [Content-Length=0]; end");
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + next, {.method = "HEAD"}) ==
          "200 [Content-Length=5]; end; 200 [Content-Length=0]; end");
    CHECK(responses("HTTP/1.1 200 OK\r\n\r\n", {.method = "HEAD"}) == "200; end");
}

TEST_CASE("interim responses are reported and passed over") {
    CHECK(responses("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na") ==
          "interim 100; interim 103; 200 [Content-Length=1]; body a; end");
    std::string endless;
    for (int i = 0; i < 21; ++i) {
        endless += "HTTP/1.1 102 Processing\r\n\r\n";
    }
    CHECK(
        record<detail::response_parser>({endless}).ends_with(error_line(error::too_many_interim_responses)));
    CHECK(responses("HTTP/1.1 100 Continue\r\n\r\n") == "interim 100; " + error_line(error::truncated_head));
}

TEST_CASE("the end of the connection ends a message or breaks it") {
    CHECK(requests("GET / HT") == error_line(error::truncated_head));
    CHECK(requests("\r\n\r\n").empty());
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel") ==
          "200 [Content-Length=5]; body hel; " + error_line(error::truncated_body));
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n") ==
          "200 [Transfer-Encoding=chunked]; body hello; " + error_line(error::truncated_body));

    detail::response_parser parser;
    parser.start("GET");
    CHECK(parser.idle());
    CHECK(parser.finish().error() == error::no_message);
    CHECK(parser.finish().error() == error::no_message);
    CHECK_FALSE(parser.idle());
}

TEST_CASE("limits hold exactly") {
    const std::string start = "GET / HTTP/1.1\r\nHost: x\r\n";
    const std::string fits = start + "A: " + std::string(1000 - start.size() - 7, 'a') + "\r\n\r\n";
    REQUIRE(fits.size() == 1000);
    const std::string over = start + "A: " + std::string(1001 - start.size() - 7, 'a') + "\r\n\r\n";
    const recorder_options options{.limits = {.head_bytes = 1000}};
    CHECK(requests(fits, options).ends_with("; end"));
    CHECK(requests(over, options) == error_line(error::head_too_large));
    const std::string longest(1000, 'a');
    CHECK(requests("GET /" + longest, options) == error_line(error::target_too_large));
    CHECK(requests("\r\n\r\nGET /" + longest, options) == error_line(error::target_too_large));
    CHECK(requests(longest + " / HTTP/1.1", options) == error_line(error::malformed_start_line));
    CHECK(responses("HTTP/1.1 200 " + longest, options) == error_line(error::head_too_large));

    const std::string three = "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n";
    CHECK(requests(three, {.limits = {.fields = 3}}).ends_with("; end"));
    CHECK(requests(three, {.limits = {.fields = 2}}) == error_line(error::too_many_headers));

    const recorder_options small{.limits = {.body_bytes = 5}};
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", small).ends_with("body hello; end"));
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", small) ==
          error_line(error::body_too_large));
    CHECK(responses("HTTP/1.1 200 OK\r\n\r\nhello!", small) ==
          "200; body hello; " + error_line(error::body_too_large));
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n", small)
              .ends_with("body hello; " + error_line(error::body_too_large)));
}

TEST_CASE("a header of a megabyte is one clear error, and a large one within the limit is read") {
    const std::string field = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ";
    const std::string megabyte = field + std::string(1 << 20, 'a') + "\r\n\r\n";
    CHECK(record<detail::response_parser>({megabyte}) == error_line(error::head_too_large));
    // Above the limit that http-parser has by itself.
    CHECK(record<detail::response_parser>({megabyte}, {.limits = {.head_bytes = 2 << 20}}) ==
          "200 [Content-Length=0] [A=" + std::string(1 << 20, 'a') + "]; end");
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) {
        many += "Name-" + std::to_string(i) + ": value\r\n";
    }
    many += "Content-Length: 0\r\n\r\n";
    CHECK(record<detail::response_parser>({many}, {.limits = {.head_bytes = 1 << 20, .fields = 5001}})
              .ends_with("; end"));
}

TEST_CASE("a peer that speaks something else is told apart by its first bytes") {
    const recorder_options open{.finish = false};
    CHECK(requests("\x16\x03\x01\x02", open) == error_line(error::malformed_start_line));
    CHECK(responses("\x15\x03\x03", open) == error_line(error::malformed_start_line));
    CHECK(responses("SSH-2.0-x", open) == error_line(error::malformed_start_line));
    CHECK(responses("220 mail ready\r\n", open) == error_line(error::malformed_start_line));
    CHECK(responses("HTTP", open).empty());
    CHECK(requests("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == error_line(error::unsupported_version));
    CHECK(responses("HTTP/2 200\r\n\r\n") == error_line(error::unsupported_version));
}

TEST_CASE("the body is a view of the caller's bytes, and a reused parser keeps its memory") {
    detail::request_parser parser;
    const std::string text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    std::string_view input = text;
    REQUIRE(parser.next(input).value() == detail::progress::head);
    CHECK(parser.has_body());
    CHECK(parser.content_length() == 3U);
    CHECK_FALSE(parser.complete());
    REQUIRE(parser.next(input).value() == detail::progress::body);
    CHECK(static_cast<const void*>(parser.body().data()) == text.data() + text.size() - 3);
    CHECK(parser.body_bytes() == 3);
    CHECK(parser.complete());
    REQUIRE(parser.next(input).value() == detail::progress::end);
    REQUIRE(parser.next(input).value() == detail::progress::end);
    const request taken = std::move(parser.message());
    parser.start();
    CHECK(parser.idle());
    input = text;
    REQUIRE(parser.next(input).value() == detail::progress::head);
    CHECK(taken.headers.get("host") == "x");
    const char* memory = parser.message().headers.wire().data();
    REQUIRE(parser.next(input).value() == detail::progress::body);
    parser.start();
    input = text;
    REQUIRE(parser.next(input).value() == detail::progress::head);
    CHECK(static_cast<const void*>(parser.message().headers.wire().data()) == memory);
}

TEST_CASE("an error is final") {
    detail::response_parser parser;
    parser.start("GET");
    std::string_view input = "HTTP/1.1 200 OK\r\nno colon\r\n\r\n";
    CHECK(parser.next(input).error() == error::malformed_header);
    input = "HTTP/1.1 200 OK\r\n\r\n";
    CHECK(parser.next(input).error() == error::malformed_header);
    CHECK(parser.finish().error() == error::malformed_header);
    CHECK_FALSE(parser.keep_alive());
}
