// SPDX-License-Identifier: MIT
#include <leat/http/cookie_file.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/folder.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

using leat::http::cookie;
using leat::http::cookie_jar;
using leat::http::cookies_read;
using leat::http::cookies_text;
using leat::http::read_cookies;
using leat::http::url;

namespace {

constexpr const char* year_3015 = "33000000000";

std::string cookie_line(std::string_view domain, std::string_view name, std::string_view value) {
    return std::string(domain) + "\tFALSE\t/\tFALSE\t" + year_3015 + "\t" + std::string(name) + "\t" +
           std::string(value) + "\n";
}

std::string sent_to(cookie_jar& jar, const char* to) {
    return jar.cookies_for(url::parse(to));
}

// Why the only line of `text` is bad; empty: it is not.
std::string why_bad(const std::string& text) {
    cookie_jar jar;
    const cookies_read done = read_cookies(text, jar);
    return done.bad == 0 ? std::string() : std::string(done.bad_lines.at(0).why);
}

}  // namespace

TEST_CASE("cookies are read as curl and wget have written them") {
    cookie_jar jar;
    const cookies_read done = read_cookies(
        "# Netscape HTTP Cookie File\n"
        "# https://curl.se/docs/http-cookies.html\n"
        "\n"
        ".example.org\tTRUE\t/\tFALSE\t33000000000\tall\t1\n"
        "#HttpOnly_www.example.org\tFALSE\t/docs\tTRUE\t33000000000\tone\t2 3\r\n"
        "www.example.org\tFALSE\t/\tFALSE\t0\tsession\tx=y\n"
        "www.example.org\tfalse\t/\tFALSE\t0\tempty\t\n"
        "www.example.org\tFALSE\t/\tFALSE\t0\tshorter\n"
        "127.0.0.1\tFALSE\t/\tFALSE\t0\tmine\tv",
        jar);
    CHECK(done.taken == 6);
    CHECK(done.expired == 0);
    CHECK(done.bad == 0);
    CHECK(sent_to(jar, "http://www.example.org/docs/x") == "all=1; session=x=y; empty=; shorter=");
    CHECK(sent_to(jar, "https://www.example.org/docs/x") == "one=2 3; all=1; session=x=y; empty=; shorter=");
    CHECK(sent_to(jar, "http://other.example.org/") == "all=1");
    CHECK(sent_to(jar, "http://127.0.0.1/") == "mine=v");
    const auto all = jar.all();
    const auto one = std::ranges::find(all, "one", &cookie::name);
    REQUIRE(one != all.end());
    CHECK(one->http_only);
    CHECK(one->secure);
}

TEST_CASE("a cookie that has expired replaces the one that is there") {
    cookie_jar jar;
    CHECK(read_cookies(cookie_line("a.test", "n", "1"), jar).taken == 1);
    const cookies_read done = read_cookies("a.test\tFALSE\t/\tFALSE\t1\tn\t2\n", jar);
    CHECK(done.expired == 1);
    CHECK(done.taken == 0);
    CHECK(jar.size() == 0);
}

TEST_CASE("a bad line is left out, and told with its number") {
    cookie_jar jar;
    const cookies_read done =
        read_cookies("\n" + cookie_line("a.test", "n", "1") + "a.test FALSE / FALSE 0 n 1\n" +
                         cookie_line("b.test", "", "1"),
                     jar);
    CHECK(done.taken == 1);
    REQUIRE(done.bad == 2);
    CHECK(done.bad_lines[0].number == 3);
    CHECK(done.bad_lines[0].why == "it has not seven fields");
    CHECK(done.bad_lines[1].number == 4);
    CHECK(done.bad_lines[1].why == "there can be no such cookie");
    CHECK(why_bad("a.test\tFALSE\t/\tFALSE\t0\tn\tv\tw\n") == "it has not seven fields");
    CHECK(why_bad("a.test\t1\t/\tFALSE\t0\tn\tv\n") == "it has another word where TRUE or FALSE is due");
    CHECK(why_bad("a.test\tFALSE\t/\tFALSE\tnever\tn\tv\n") == "its time is not a number of seconds");
    CHECK(why_bad(cookie_line("a.test", "n", std::string(20'000, 'v'))) == "it is too long");
}

TEST_CASE("no cookie is made of what no server could have set") {
    for (const std::string& wrong :
         {cookie_line("a.test", "n", "a;b"), cookie_line("a.test", "n=m", "v"),
          cookie_line("a.test", "n", std::string(5000, 'v')), cookie_line("", "n", "v"),
          cookie_line("a b", "n", "v"), cookie_line("a.test/x", "n", "v"), cookie_line("%61.test", "n", "v"),
          cookie_line("..a.test", "n", "v"), cookie_line("a.test", "n", "v\x01"),
          cookie_line("a.test", " n", "v"), std::string(".com\tTRUE\t/\tFALSE\t0\tn\tv\n"),
          std::string("10.0.0.1\tTRUE\t/\tFALSE\t0\tn\tv\n"),
          std::string("a.test\tFALSE\tx\tFALSE\t0\tn\tv\n"),
          std::string("a.test\tFALSE\t/\tFALSE\t0\t__Secure-n\tv\n"),
          std::string("a.test\tFALSE\t/x\tTRUE\t0\t__Host-n\tv\n")}) {
        CAPTURE(wrong);
        CHECK(why_bad(wrong) == "there can be no such cookie");
    }
    CHECK(why_bad("a.test\tFALSE\t/\tTRUE\t0\t__Host-n\tv\n") == "");
    CHECK(why_bad(cookie_line("::1", "n", "v")) == "");
}

TEST_CASE("a file of bad lines is told of in a few of them") {
    std::string text;
    for (int count = 0; count < 1000; ++count) {
        text += "x\n";
    }
    cookie_jar jar;
    const cookies_read done = read_cookies(text, jar);
    CHECK(done.bad == 1000);
    CHECK(done.bad_lines.size() == 20);
}

TEST_CASE("the limits of the jar hold for files, too") {
    std::string text;
    for (int count = 0; count < 1000; ++count) {
        text += cookie_line("a" + std::to_string(count % 7) + ".test", std::to_string(count), "v");
    }
    cookie_jar jar({.cookies = 50, .per_domain = 10});
    CHECK(read_cookies(text, jar).taken == 1000);
    CHECK(jar.size() == 50);
}

TEST_CASE("cookies are written so that they are read back") {
    cookie_jar jar;
    const url here = url::parse("https://www.example.org/a/b");
    CHECK(jar.store(here, "one=1; Max-Age=3600; HttpOnly; Secure"));
    CHECK(jar.store(here, "two=a b=c; Domain=example.org; Path=/"));
    CHECK(jar.store(here, "tab=a\tb"));  // these two cannot be written
    CHECK(jar.store(url::parse("http://..a.test/"), "dots=1"));
    const std::string text = cookies_text(jar);
    CHECK(text.starts_with("# Netscape HTTP Cookie File\n\n#HttpOnly_www.example.org\tFALSE\t/a\tTRUE\t"));
    CHECK(text.ends_with("\tone\t1\n.example.org\tTRUE\t/\tFALSE\t0\ttwo\ta b=c\n"));
    cookie_jar same;
    CHECK(read_cookies(text, same).taken == 2);
    CHECK(cookies_text(same) == text);
    CHECK(sent_to(same, "https://www.example.org/a/") == "one=1; two=a b=c");
    const std::string lasting = cookies_text(jar, /*with_session=*/false);
    CHECK(lasting.find("two") == lasting.npos);
    CHECK(lasting.find("one") != lasting.npos);
}

LEAT_TEST("a file of cookies is for its owner only, and replaced as a whole", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string path = where.path() + "/cookies.txt";
    const std::string left = where.file("cookies.txt.part", "left by another run, for everyone");
    cookie_jar jar;
    CHECK(read_cookies(cookie_line("a.test", "n", "1"), jar).taken == 1);
    co_await leat::http::save_cookies(path, jar);
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK_FALSE(std::filesystem::exists(left));
    cookie_jar loaded;
    const cookies_read done = co_await leat::http::load_cookies(path, loaded);
    CHECK(done.taken == 1);
    CHECK(sent_to(loaded, "http://a.test/") == "n=1");
    std::string missing;
    try {
        (void)co_await leat::http::load_cookies(where.path() + "/none", loaded);
    } catch (const std::system_error& error) {
        missing = error.what();
    }
    CHECK(missing.find(where.path() + "/none") != missing.npos);
}
