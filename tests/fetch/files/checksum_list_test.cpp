// SPDX-License-Identifier: MIT
#include <fetch/files/checksum_list.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace {

const std::string hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const std::string old_hello = "5d41402abc4b2a76b9719d911017c592";

std::string name_in(const std::string& line) {
    const auto read = fetch::read_checksum(line);
    return read ? read->name : "none";
}

}  // namespace

TEST_CASE("a line of sha256sum and its like has a checksum and a name") {
    CHECK(name_in(hello + "  hello.txt") == "hello.txt");
    CHECK(name_in(hello + " *hello.txt") == "hello.txt");
    CHECK(name_in(hello + "   hello") == " hello");
    CHECK(name_in("SHA256 (a (b) = c) = " + hello) == "a (b) = c");
    CHECK(name_in("MD5 (x) = " + old_hello) == "x");
    CHECK(name_in("\\" + hello + "  a\\nb\\\\c\\r") == "a\nb\\c\r");
    CHECK(name_in(hello + "  a\\nb") == "a\\nb");
    const auto read = fetch::read_checksum(old_hello + "  x");
    REQUIRE(read.has_value());
    CHECK(read->checksum.kind == fetch::digest_kind::md5);
    CHECK(fetch::hexadecimal(read->checksum) == old_hello);
}

TEST_CASE("what is no such line is none") {
    for (const std::string& line :
         {std::string(), hello, hello + " ", hello + "  ", hello + " hello.txt", hello.substr(1) + "  x",
          "g" + hello.substr(1) + "  x", "\\" + hello + "  a\\t", "\\" + hello + "  a\\",
          "MD5 (x) = " + hello, "SHA256 () = " + hello, "SHA256 (x)= " + hello, std::string(" (x) = ")}) {
        CHECK_MESSAGE(name_in(line) == "none", line);
    }
}

TEST_CASE("a line that is written is read as the same") {
    for (const std::string& name : {std::string("hello"), std::string(" a b "), std::string("a\nb\\\r"),
                                    std::string("*x"), std::string("\\n")}) {
        const auto checksum = fetch::read_digest("sha-256=" + hello);
        REQUIRE(checksum.has_value());
        std::string line = fetch::checksum_line(*checksum, name);
        REQUIRE(line.back() == '\n');
        line.pop_back();
        CHECK(line.find('\n') == std::string::npos);
        const auto read = fetch::read_checksum(line);
        REQUIRE(read.has_value());
        CHECK(read->name == name);
        CHECK(read->checksum == *checksum);
    }
}

TEST_CASE("a list finds the checksum of a name, and says which line is wrong") {
    const auto list = fetch::checksum_list::read("# of today\r\n\r\n" + hello + "  ./a/b\r\n" + hello +
                                                 "  a/b\n" + old_hello + " *c");
    CHECK(list.size() == 2);
    REQUIRE(list.find("a/b") != nullptr);
    CHECK(fetch::hexadecimal(*list.find("a/b")) == hello);
    CHECK(list.find("./c") != nullptr);
    CHECK(list.find("b") == nullptr);
    CHECK_THROWS_WITH_AS((void)fetch::checksum_list::read(hello + "  a\nnonsense\n"),
                         "line 2: no checksum and name", std::invalid_argument);
    CHECK_THROWS_WITH_AS((void)fetch::checksum_list::read(hello + "  a\n" + old_hello + "  a\n"),
                         "line 2: another checksum of a", std::invalid_argument);
}
