// SPDX-License-Identifier: MIT
#include <fetch/list/job_line.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

fetch::job job_of(std::string_view line) {
    auto made = fetch::read_job_line(line, {.list = "urls.txt", .number = 12});
    REQUIRE(made.has_value());
    return *std::move(made);
}

std::string mistake_of(std::string_view line) {
    return job_of(line).mistake;
}

}  // namespace

TEST_CASE("a line is a URL, with its options behind tabs") {
    const fetch::job plain = job_of("https://example.org/a?b#c");
    CHECK(plain.url == "https://example.org/a?b#c");
    CHECK(plain.mistake.empty());
    CHECK(plain.number == 0);
    CHECK(plain.mirrors.empty());
    const fetch::job full = job_of(
        "http://h/a\tout=b/c d.iso\tchecksum=md5=d41d8cd98f00b204e9800998ecf8427e\tsize=12\t"
        "mirror=http://i/a\theader=X-One: 1\theader=X-Two:2\tmirror=https://j/a\treferer=http://k/\t"
        "user-agent=me 1.0");
    CHECK(full.mistake == "");
    CHECK(full.url == "http://h/a");
    CHECK(full.output == "b/c d.iso");
    REQUIRE(full.checksum.has_value());
    CHECK(full.checksum->kind == fetch::digest_kind::md5);
    CHECK(full.size == 12);
    CHECK(full.mirrors == std::vector<std::string>{"http://i/a", "https://j/a"});
    CHECK(full.fields.wire() == "X-One: 1\r\nX-Two: 2\r\nReferer: http://k/\r\nUser-Agent: me 1.0\r\n");
}

TEST_CASE("more URLs of a line are mirrors, as in lists of aria2") {
    const fetch::job one = job_of("http://h/a\thttp://i/a\tHTTPS://j/a");
    CHECK(one.mistake == "");
    CHECK(one.url == "http://h/a");
    CHECK(one.mirrors == std::vector<std::string>{"http://i/a", "HTTPS://j/a"});
}

TEST_CASE("blank lines and comments are no jobs, and blanks and byte order marks do not count") {
    for (const std::string_view none :
         {"", " ", "\t \v\f", "# http://h/", "  #", "\xef\xbb\xbf", "\xef\xbb\xbf# x"}) {
        CHECK(!fetch::read_job_line(none, {.list = "l", .number = 1}).has_value());
    }
    CHECK(job_of(" \t http://h/a \t ").url == "http://h/a");
    CHECK(job_of("\xef\xbb\xbf\xef\xbb\xbfhttp://h/a").url == "http://h/a");
    const fetch::job blanks = job_of("http://h/a \t\t out = \t out=b \t");
    CHECK(blanks.mistake.find("\"out \" is none of the options") != std::string::npos);
    CHECK(job_of("http://h/a \t\t out= b \t").output == "b");
}

TEST_CASE("a URL with spaces in it is one, as in a browser") {
    CHECK(job_of("http://h/a file.txt").url == "http://h/a file.txt");
    CHECK(job_of("http://h/a file.txt").mistake == "");
}

TEST_CASE("what cannot be understood is a mistake, which says where it is") {
    CHECK(mistake_of("http://h/a\tsize=1x") == "urls.txt:12: http://h/a: size=1x is no number of bytes");
    CHECK(mistake_of("http://h/a\tsize=") == "urls.txt:12: http://h/a: size= is no number of bytes");
    CHECK(mistake_of("http://h/a\tsize=99999999999999999999") ==
          "urls.txt:12: http://h/a: size=99999999999999999999 is no number of bytes");
    CHECK(
        mistake_of("http://h/a\tsplit=5") ==
        "urls.txt:12: http://h/a: \"split\" is none of the options out=, checksum=, size=, mirror=, header=, "
        "referer=, user-agent=");
    CHECK(mistake_of("http://h/a\tout=b\tout=c") == "urls.txt:12: http://h/a: out= is there twice");
    CHECK(mistake_of("http://h/a\tchecksum=sha-256=12") ==
          "urls.txt:12: http://h/a: checksum=sha-256=12 is not KIND=HEX, as sha-256=2cf24d...");
    CHECK(mistake_of("http://h/a\theader=X") ==
          "urls.txt:12: http://h/a: header= is not followed by NAME: VALUE");
    CHECK(mistake_of("http://h/a\theader=X Y: 1").find("urls.txt:12: http://h/a: a header's name") == 0);
    CHECK(mistake_of("http://h/a\theader=X: a\x01").find("urls.txt:12: http://h/a: header X") == 0);
    CHECK(mistake_of("http://h/a\tmirror=ftp://i/a") ==
          "urls.txt:12: http://h/a: mirror ftp://i/a: its scheme is neither http nor https");
    CHECK(mistake_of("example.org/a") ==
          "urls.txt:12: example.org/a: it does not begin with http:// or https://");
    CHECK(mistake_of("http://h:99999/") ==
          "urls.txt:12: http://h:99999/: its port is not a number from 1 to 65535");
}

TEST_CASE("options where aria2 has them, or behind spaces, are no part of a URL") {
    CHECK(mistake_of("  out=b") ==
          "urls.txt:12: out=b: an option stands behind its URL, on the same line, after a tab");
    CHECK(mistake_of("http://h/a  out=b") ==
          "urls.txt:12: http://h/a  out=b: an option stands behind a tab, not behind a space");
    CHECK(mistake_of("http://h/a?x out=b&y checksum=md5=0").find("not behind a space") != std::string::npos);
    CHECK(mistake_of("http://h/a b=c") == "");
}

TEST_CASE("a line names no file outside of the folder") {
    for (const std::string path : {"/etc/passwd", "../a", "a/../b", "a//b", "a/", ".", "a\\b", "a.part",
                                   "a\x7f", "a.part.note", "a\xff", "a/./b"}) {
        CAPTURE(path);
        CHECK(mistake_of("http://h/a\tout=" + path).find("is no path that a file") != std::string::npos);
    }
    CHECK(mistake_of("http://h/a\tout=").find("followed by no path") != std::string::npos);
    CHECK(job_of("http://h/a\tout=.config/-x").output == ".config/-x");
}

TEST_CASE("a mistake is one line of ASCII, without passwords, however long the line is") {
    const std::string shown = mistake_of("http://joe:secret@h/\xe2\x82\xac\x1b[31m\theader=secret\x1b");
    CHECK(shown.find("secret") == std::string::npos);
    for (const char each : shown) {
        CHECK((each >= ' ' && each <= '~'));
    }
    CHECK(mistake_of("http://h/" + std::string(70'000, 'a')).size() < 700);
    CHECK(mistake_of("http://h/a\tout=../" + std::string(70'000, 'a')).size() < 700);
    CHECK(mistake_of("http://h/a\t" + std::string(70'000, 'a')).size() < 700);
}

TEST_CASE("an argument is a URL without options, and its mistake needs no place") {
    CHECK(fetch::job_of_argument("http://h/#a").url == "http://h/#a");
    CHECK(fetch::job_of_argument("http://h/#a").mistake == "");
    CHECK(fetch::job_of_argument("h").mistake == "h: it does not begin with http:// or https://");
    CHECK(fetch::job_of_argument("").mistake != "");
}
