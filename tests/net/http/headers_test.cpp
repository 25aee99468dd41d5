// SPDX-License-Identifier: MIT
#include <leat/http/headers.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using leat::http::headers;

TEST_CASE("header fields keep their order and are found without regard to case") {
    headers fields;
    fields.add("Host", "a");
    fields.add("Set-Cookie", "x=1");
    fields.add("set-cookie", "y=2");
    fields.add("X-Empty", "");
    CHECK(fields.size() == 4);
    CHECK(fields.get("hOST") == "a");
    CHECK(fields.get("Set-Cookie") == "x=1");
    CHECK(fields.get_all("SET-COOKIE") == std::vector<std::string_view>{"x=1", "y=2"});
    CHECK(fields.get("X-Empty") == "");
    CHECK_FALSE(fields.get("Set-Cookie2"));
    CHECK_FALSE(fields.contains("Hos"));
    CHECK(fields[2].name == "set-cookie");
    CHECK(fields.wire() == "Host: a\r\nSet-Cookie: x=1\r\nset-cookie: y=2\r\nX-Empty: \r\n");
    std::string walked;
    for (const auto& [name, value] : fields) {
        walked.append(name).append("=").append(value).append(";");
    }
    CHECK(walked == "Host=a;Set-Cookie=x=1;set-cookie=y=2;X-Empty=;");
}

TEST_CASE("setting a field replaces every one of its name") {
    headers fields;
    fields.add("A", "1");
    fields.add("B", "2");
    fields.add("a", "3");
    fields.add("C", "4");
    fields.set("A", "5");
    CHECK(fields.wire() == "B: 2\r\nC: 4\r\nA: 5\r\n");
    CHECK(fields.get("b") == "2");
    CHECK(fields.get("c") == "4");
    CHECK(fields.erase("B") == 1);
    CHECK(fields.erase("B") == 0);
    CHECK(fields.get("C") == "4");
    fields.clear();
    CHECK(fields.empty());
    CHECK(fields.wire().empty());
    fields.add("D", "6");
    CHECK(fields.get("D") == "6");
}

TEST_CASE("no name or value can smuggle in a line of its own") {
    headers fields;
    fields.add("Kept", "as it was");
    for (const char* value : {"a\r\nEvil: 1", "a\nb", "a\rb", "a\x01", "\x7f"}) {
        CAPTURE(value);
        CHECK_THROWS_WITH_AS(fields.add("X-Name", value), doctest::Contains("X-Name"), std::invalid_argument);
        CHECK_THROWS_AS(fields.set("Kept", value), std::invalid_argument);
    }
    CHECK_THROWS_AS(fields.add("X-Name", std::string_view("a\0b", 3)), std::invalid_argument);
    for (const char* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa9", "a(", "a\tb", " a"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(fields.add(name, "v"), std::invalid_argument);
    }
    CHECK(fields.wire() == "Kept: as it was\r\n");
    fields.add("Allowed", "tab\tand \xc3\xa9");
    CHECK(fields.get("Allowed") == "tab\tand \xc3\xa9");
    fields.add("Padded", " \t both ends \t");
    CHECK(fields.get("Padded") == "both ends");
}

TEST_CASE("a token is found in the list that all fields of a name make together") {
    headers fields;
    fields.add("Connection", "keep-alive , Upgrade");
    fields.add("Accept", "close");
    fields.add("connection", ",,  CLOSE ,");
    CHECK(fields.contains_token("Connection", "close"));
    CHECK(fields.contains_token("Connection", "keep-alive"));
    CHECK(fields.contains_token("Connection", "upgrade"));
    CHECK_FALSE(fields.contains_token("Connection", "keep"));
    CHECK_FALSE(fields.contains_token("Connection", "keep-alive , Upgrade"));
    CHECK_FALSE(fields.contains_token("Accept", "keep-alive"));
    CHECK_FALSE(fields.contains_token("Absent", "close"));
}

TEST_CASE("a field may be copied from the very object it is added to") {
    headers fields;
    fields.add("First", std::string(100, 'x'));
    for (int i = 0; i < 20; ++i) {
        fields.add(fields[0].name, fields[0].value);
    }
    CHECK(fields.size() == 21);
    CHECK(fields[20].name == "First");
    CHECK(fields[20].value == std::string(100, 'x'));
    fields.set(fields[0].name, fields[0].value);
    CHECK(fields.size() == 1);
    CHECK(fields[0].value == std::string(100, 'x'));
}

TEST_CASE("a copy of the fields stands on its own") {
    headers fields;
    fields.add("A", "1");
    headers copy = fields;
    fields.set("A", "2");
    CHECK(copy.get("A") == "1");
    headers moved = std::move(copy);
    CHECK(moved.get("A") == "1");
}
