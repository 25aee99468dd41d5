// SPDX-License-Identifier: MIT
// One list of odd messages, read by both policies: what other clients take of a server is taken in a response
// and refused in a request; what leads to different pages is refused in both.
//
// `taken_by` says who takes the same bytes from a server on loopback: c curl 7.88, p Python 3 (requests), n
// node 20, g Go 1.19; a letter in brackets takes them in another way.
#include <leat/http/core/head_repair.hpp>
#include <leat/http/core/parser.hpp>

#include "parser_recorder.hpp"

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <string>
#include <vector>

using namespace leat::http;

namespace {

const recorder_options strict{.how = detail::strictness::strict};

bool is_refused(const std::string& line) {
    return line.find("error: ") != line.npos && line.find("INSTEAD") == line.npos;
}
std::string response_of(const std::string& tail) {
    return "HTTP/1.1 200 OK\r\n" + tail;
}
std::string request_of(const std::string& tail) {
    return "POST / HTTP/1.1\r\nHost: x\r\n" + tail;
}
std::string in_chunks(const std::string& body) {
    return "Transfer-Encoding: chunked\r\n\r\n" + body;
}

struct odd_case {
    std::string tail;  // behind the start line of a request or of a response
    std::string taken_by;
    std::string seen;  // of the response; a request, or a response read strictly, is refused
};

void take_leniently(const std::vector<odd_case>& cases) {
    for (const auto& each : cases) {
        CAPTURE(each.tail);
        CHECK(record_every_way<detail::response_parser>(response_of(each.tail)) == each.seen);
        CHECK(is_refused(record_every_way<detail::response_parser>(response_of(each.tail), strict)));
        CHECK(is_refused(record_every_way<detail::request_parser>(request_of(each.tail))));
    }
}

struct refused_case {
    std::string text;
    std::string taken_by;
    error expected;
};

void refuse_by_both(const std::vector<refused_case>& cases) {
    for (const auto& each : cases) {
        CAPTURE(each.text);
        const std::string lenient = record_every_way<detail::response_parser>(each.text);
        CHECK_MESSAGE(lenient.ends_with("error: " + make_error_code(each.expected).message()), lenient);
        CHECK_MESSAGE(lenient.find("INSTEAD") == lenient.npos, lenient);
        CHECK(is_refused(record_every_way<detail::response_parser>(each.text, strict)));
    }
}

}  // namespace

TEST_CASE("odd lines in the head of a response are read as other clients read them, in a request refused") {
    const std::string length = "Content-Length: 5\r\n";
    const std::string end = length + "\r\nhello";
    take_leniently({
        // Lines that end with LF alone, and folded ones (RFC 9112 2.2, 5.2). All agree about the end.
        {"Content-Length: 5\n\nhello", "cpg", "200 [Content-Length=5]; body hello; end"},
        {"Content-Length: 5\n\r\nhello", "cpg", "200 [Content-Length=5]; body hello; end"},
        {"Content-Length: 5\r\n\nhello", "cpg", "200 [Content-Length=5]; body hello; end"},
        {"X-A: b\r\n c\r\n" + end, "cpg", "200 [X-A=b c] [Content-Length=5]; body hello; end"},
        {"X-A: b\r\n\t c\r\n  d\r\n" + end, "cpg", "200 [X-A=b c d] [Content-Length=5]; body hello; end"},
        {"X-A:\r\n c\r\n" + end, "cpg", "200 [X-A=c] [Content-Length=5]; body hello; end"},
        {"X-A: b\r\n \r\n" + end, "cpg", "200 [X-A=b] [Content-Length=5]; body hello; end"},
        {length + "X-A: b\n c\n\nhello", "cpg", "200 [Content-Length=5] [X-A=b c]; body hello; end"},
        // Control characters in a value: a space each (RFC 9110 5.5).
        {"X-A: a\x01 b\r\n" + end, "cpg", "200 [X-A=a  b] [Content-Length=5]; body hello; end"},
        {"X-A: \x1b[1m\r\n" + end, "cpg", "200 [X-A=[1m] [Content-Length=5]; body hello; end"},
        {"X-A: a\x7f\r\n" + end, "cpg", "200 [X-A=a] [Content-Length=5]; body hello; end"},
        // Python ends the line at a CR, and the head at a name that is no token.
        {"X-A: a\rb\r\n" + end, "c(p)g", "200 [X-A=a b] [Content-Length=5]; body hello; end close"},
        {"X-A: a\r\r\n" + end, "c(p)g", "200 [X-A=a] [Content-Length=5]; body hello; end close"},
        {"X-A: a\rContent-Length: 4\r\n" + end, "c(p)g",
         "200 [X-A=a Content-Length: 4] [Content-Length=5]; body hello; end close"},
        {"X (Y): z\r\n" + end, "c(p)g", "200 [Content-Length=5]; body hello; end close"},
        {"X\xc3\xa9: z\r\n" + end, "c(p)g", "200 [Content-Length=5]; body hello; end close"},
        {"X\x01: z\r\n" + end, "c(p)g", "200 [Content-Length=5]; body hello; end close"},
        {": z\r\n" + end, "cpg", "200 [Content-Length=5]; body hello; end close"},
        {"X (Y): z\r\n folded\r\n" + end, "c(p)g", "200 [Content-Length=5]; body hello; end close"},
        {"X-A : b\r\n" + end, "c(p)g", "200 [X-A=b] [Content-Length=5]; body hello; end close"},
        {"X-A\t: b\r\n" + end, "c(p)g", "200 [X-A=b] [Content-Length=5]; body hello; end close"},
    });
}

TEST_CASE("a length said oddly in a response is taken where it has one meaning, and the connection closes") {
    const std::string chunks = "5\r\nhello\r\n0\r\n\r\n";
    const std::string chunked_seen = "200 [Transfer-Encoding=chunked]; body hello; end close";
    const std::string counted_seen = "200 [Content-Length=5]; body hello; end close";
    take_leniently({
        {"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "cpg", counted_seen},
        {"Content-Length: 5, 5\r\n\r\nhello", "cp", counted_seen},
        {"Content-Length: 5,\r\n\r\nhello", "cp", counted_seen},
        {"Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello", "cp", counted_seen},
        {"Content-Length : 5\r\n\r\nhello", "(c)(p)(g)", counted_seen},
        {"Content-Length:\r\n 5\r\n\r\nhello", "pg", counted_seen},
        {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "cpg", chunked_seen},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks, "cpg", chunked_seen},
        {"Transfer-Encoding: identity\r\n\r\nhello", "cpn", "200; body hello; end close"},
        {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "cp", counted_seen},
        {"Transfer-Encoding:\r\n\r\nhello", "cpn", "200; body hello; end close"},
        {"Transfer-Encoding: identity, chunked\r\n\r\n" + chunks, "cpn", chunked_seen},
        {"Transfer-Encoding: chunked, identity\r\n\r\n" + chunks, "cp(n)", chunked_seen},
        {"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunks, "cpn", chunked_seen},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "cpng", chunked_seen},
        {"Transfer-Encoding: , chunked\r\n\r\n" + chunks, "cpn", chunked_seen},
        {"Transfer-Encoding:\r\n chunked\r\n\r\n" + chunks, "pg", chunked_seen},
        {"Transfer-Encoding : chunked\r\n\r\n" + chunks, "(c)(p)(g)", chunked_seen},
    });
    // RFC 9112 6.1: such a message is taken, such a connection not kept.
    const std::string old = "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n" + chunks;
    CHECK(record_every_way<detail::response_parser>("HTTP/1.0 200 OK\r\n" + old) ==
          "200 1.0 [Transfer-Encoding=chunked] [Connection=keep-alive]; body hello; end close");
    CHECK(is_refused(record_every_way<detail::request_parser>("POST / HTTP/1.0\r\n" + old)));
}

TEST_CASE("odd chunks are read in a response as other clients read them, in a request refused") {
    const std::string seen = "200 [Transfer-Encoding=chunked]; body hello; end";
    std::vector<odd_case> cases = {
        {"5 \r\nhello\r\n0 \r\n\r\n", "cpg", seen},
        {"5\t \r\nhello\r\n0\t\r\n\r\n", "cpg", seen},
        {"5;\r\nhello\r\n0\r\n\r\n", "cpg", seen},
        {"5;bad[=x\r\nhello\r\n0;\r\n\r\n", "cpg", seen},
        {"5;\x01 a\rb\r\nhello\r\n0\r\n\r\n", "cpg", seen},
        {"5;a\nhello\r\n0\r\n\r\n", "cpg", seen},
        {"5\nhello\n0\n\n", "c", seen},
        {"5\r\nhello\r\n0\r\n\n", "cp", seen},
        {"5\r\nhello\r\n0\r\nodd\r\n\r\n", "p", seen},
        {"5\r\nhello\r\n0\r\nA : b\r\n\r\n", "cpg", seen},
        {"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n", "cpg", seen},
        {"5\r\nhello\r\n0\r\nA: \x01\r\n\r\n", "cpg", seen},
        {"5\r\nhello\r\n0\r\nX (Y): z\r\n\r\n", "cpg", seen},
        {"5\r\nhello\r\n0\r\nA: b\n\n", "cp",
         "200 [Transfer-Encoding=chunked]; body hello; trailers [A=b]; end"},
    };
    for (auto& each : cases) {
        each.tail = in_chunks(each.tail);
    }
    take_leniently(cases);
}

TEST_CASE("an odd status line of a response is read as other clients read it") {
    const std::string rest = "\r\nContent-Length: 5\r\n\r\nhello";
    for (const char* line : {"HTTP/1.1  200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 O\x01K", "HTTP/1.1 200 ",
                             "HTTP/1.1 200", "HTTP/1.2 200 OK", "HTTP/1.9 200 OK"}) {
        CAPTURE(line);
        CHECK(record_every_way<detail::response_parser>(line + rest) ==
              "200 [Content-Length=5]; body hello; end");
    }
    CHECK(record_every_way<detail::response_parser>("HTTP/1.1 200 O\rK" + rest) ==
          "200 [Content-Length=5]; body hello; end close");
}

TEST_CASE("responses that mean different things to different clients are refused by both policies") {
    const std::string next = "\r\n\r\nhello";
    const std::string chunks = "5\r\nhello\r\n0\r\n\r\n";
    refuse_by_both({
        {response_of("Content-Length: 5\r\nContent-Length: 6" + next), "(c)", error::conflicting_lengths},
        {response_of("Content-Length: 5, 6" + next), "(c)", error::conflicting_lengths},
        {response_of("Content-Length: 6\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks),
         "", error::conflicting_lengths},
        {response_of("Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks), "pg",
         error::bad_content_length},
        {response_of("Content-Length: -5" + next), "(p)", error::bad_content_length},
        {response_of("Content-Length: +5" + next), "cp", error::bad_content_length},
        {response_of("Content-Length: 0x5" + next), "(c)(p)", error::bad_content_length},
        {response_of("Content-Length: 5x" + next), "c(p)", error::bad_content_length},
        {response_of("Content-Length: 5 5" + next), "c(p)", error::bad_content_length},
        {response_of("Content-Length: 5;" + next), "c(p)", error::bad_content_length},
        {response_of("Content-Length:" + next), "(p)(g)", error::bad_content_length},
        {response_of("Content-Length: 18446744073709551621" + next), "(c)", error::bad_content_length},
        {response_of("Content-Length: \x01"
                     "5" +
                     next),
         "", error::malformed_header},
        {response_of("Transfer-Encoding: gzip" + next), "(p)(n)", error::unsupported_transfer_encoding},
        {response_of("Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks), "",
         error::unsupported_transfer_encoding},
        {response_of("Transfer-Encoding: xchunked" + next), "(p)(n)", error::unsupported_transfer_encoding},
        {response_of("Transfer-Encoding: chunked;q=1\r\n\r\n" + chunks), "(p)(n)",
         error::unsupported_transfer_encoding},
        {response_of("Transfer-Encoding: \x0b"
                     "chunked\r\n\r\n" +
                     chunks),
         "(p)", error::malformed_header},
        {response_of("no colon" + next), "(p)", error::malformed_header},
        {response_of(" X-A: folded" + next), "p", error::malformed_header},
        {response_of(std::string("X-A: a\0b", 8) + next), "pg", error::malformed_header},
        {response_of(std::string("X\0: a", 5) + next), "pg", error::malformed_header},
        {response_of(in_chunks("-5\r\nhello\r\n0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("+5\r\nhello\r\n0\r\n\r\n")), "p", error::bad_chunk},
        {response_of(in_chunks("0x5\r\nhello\r\n0\r\n\r\n")), "p", error::bad_chunk},
        {response_of(in_chunks(" 5\r\nhello\r\n0\r\n\r\n")), "p", error::bad_chunk},
        {response_of(in_chunks("5x\r\nhello\r\n0\r\n\r\n")), "c", error::bad_chunk},
        {response_of(in_chunks("5 x\r\nhello\r\n0\r\n\r\n")), "c", error::bad_chunk},
        {response_of(in_chunks("5\rXhello\r\n0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("\r\n5\r\nhello\r\n0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("5\r\nhelloXX\r\n0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("5\r\nhello0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("10000000000000005\r\nhello\r\n0\r\n\r\n")), "", error::bad_chunk},
        {response_of(in_chunks("5\r\nhello\r\n0\r\n")), "p", error::truncated_body},
        {"HTTP/1.1 20 OK\r\n\r\n", "", error::malformed_start_line},
        {"HTTP/1.1 2000 OK\r\n\r\n", "", error::malformed_start_line},
        {"HTTP/1.1 200OK\r\n\r\n", "c", error::malformed_start_line},
        {"HTTP/1.1 099 OK\r\n\r\n", "ng", error::malformed_start_line},
        {"HTTP/1 200 OK\r\n\r\n", "", error::malformed_start_line},
        {"HTTP/1.10 200 OK\r\n\r\n", "p", error::malformed_start_line},
        {"HTTP/01.1 200 OK\r\n\r\n", "", error::malformed_start_line},
        {"HTTP/0.9 200 OK\r\n\r\n", "png", error::unsupported_version},
        {"HTTP/2.0 200 OK\r\n\r\n", "cng", error::unsupported_version},
        {"http/1.1 200 OK\r\n\r\n", "c", error::malformed_start_line},
        {"ICY 200 OK\r\n\r\n", "", error::malformed_start_line},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", "n", error::malformed_start_line},
    });
}

TEST_CASE("a response that had to be guessed at closes its connection even behind an interim one") {
    CHECK(record_every_way<detail::response_parser>("HTTP/1.1 100 Continue\r\nContent-Length : 1\r\n\r\n"
                                                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na") ==
          "interim 100; 200 [Content-Length=1]; body a; end close");
}

TEST_CASE("a repaired head needs no repair, and a clean one keeps its fields") {
    const std::string clean = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n";
    CHECK(detail::repair_head(clean)->text == clean);
    CHECK_FALSE(detail::repair_head(clean)->doubtful);
    const std::string odd = "HTTP/1.1  200\nA : b\n c\nX Y: z\nContent-Length: 5,5\n\n";
    const std::string repaired = detail::repair_head(odd)->text;
    CHECK(repaired == "HTTP/1.1 200\r\nA: b c\r\nContent-Length: 5\r\n\r\n");
    CHECK(detail::repair_head(odd)->doubtful);
    CHECK(detail::repair_head(repaired)->text == repaired);
    CHECK_FALSE(detail::repair_head(repaired)->doubtful);
}

TEST_CASE("blanks and extensions of many chunks never add up to too many in a response") {
    std::string body;
    for (int i = 0; i < 20000; ++i) {
        body += "1      ;x=y\r\na\r\n";
    }
    const std::string line = record<detail::response_parser>({response_of(in_chunks(body + "0\r\n\r\n"))});
    CHECK(line == "200 [Transfer-Encoding=chunked]; body " + std::string(20000, 'a') + "; end");
    const std::string endless = response_of(in_chunks("5;" + std::string(20000, 'x')));
    CHECK(record<detail::response_parser>({endless}).ends_with(make_error_code(error::bad_chunk).message()));
    const std::string zeros = response_of(in_chunks(std::string(20000, '0')));
    CHECK(record<detail::response_parser>({zeros}).ends_with(make_error_code(error::bad_chunk).message()));
}
