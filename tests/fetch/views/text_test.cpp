// SPDX-License-Identifier: MIT
#include <fetch/views/text.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

TEST_CASE("what strangers say becomes one line of UTF-8 that leaves a terminal alone") {
    using fetch::printable;
    CHECK(printable("plain text ~") == "plain text ~");
    CHECK(printable("a\x1b[31mb\r\nc\x7f\tz") == "a?[31mb??c??z");
    CHECK(printable("ü 漢 😀") == "ü 漢 😀");
    CHECK(printable("ü漢", false) == "??");
    CHECK(printable("\xc2\x9b"
                    "31m") == "?31m");  // CSI in one character
    CHECK(printable("a\xe2\x80\xae"
                    "gpj.exe") == "a?gpj.exe");  // right to left
    CHECK(printable("a\xe2\x80\xa8"
                    "b") == "a?b");  // a line separator
    CHECK(printable("\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82") == "????????????");
    CHECK(printable("").empty());
}

TEST_CASE("amounts have at most six columns") {
    using fetch::amount_text;
    CHECK(amount_text(0) == "0 B");
    CHECK(amount_text(999) == "999 B");
    CHECK(amount_text(1000) == "1.0 kB");
    CHECK(amount_text(9949) == "9.9 kB");
    CHECK(amount_text(9951) == "10 kB");
    CHECK(amount_text(999'499) == "999 kB");
    CHECK(amount_text(999'500) == "1.0 MB");
    CHECK(amount_text(UINT64_MAX) == "18 EB");
}

TEST_CASE("times are short") {
    using fetch::time_text;
    CHECK(time_text(0s) == "0.0 s");
    CHECK(time_text(1234ms) == "1.2 s");
    CHECK(time_text(59'999ms) == "59 s");
    CHECK(time_text(119s) == "1:59");
    CHECK(time_text(3723s) == "1:02:03");
    CHECK(time_text(leat::duration::max()) == "106751 d");
}

TEST_CASE("a failure's line has the URL once, and the tries if there were several") {
    const fetch::job job{.number = 1, .url = "http://h/a"};
    fetch::transfer of{.job = job, .shown = "http://h/a", .host = "h:80", .times = {}};
    of.failure = fetch::failure{.kind = fetch::failure_kind::refused, .text = "the server answered 404"};
    of.tries = 1;
    CHECK(fetch::failure_line(of) == "http://h/a: the server answered 404");
    of.failure->text = "http://h/a: connection refused";
    of.tries = 5;
    CHECK(fetch::failure_line(of) == "http://h/a: connection refused (tried 5 times)");
}
