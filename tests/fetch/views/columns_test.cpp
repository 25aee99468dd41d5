// SPDX-License-Identifier: MIT
#include <fetch/views/columns.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("text is measured by what it takes on a terminal") {
    CHECK(fetch::columns_of("abc") == 3);
    CHECK(fetch::columns_of("漢字.txt") == 8);
    CHECK(fetch::columns_of("e\u0301") == 1);
    CHECK(fetch::columns_of("😀") == 2);
    CHECK(fetch::columns_of("") == 0);
}

TEST_CASE("text is cut in its middle, between characters, and never wider than asked for") {
    CHECK(fetch::cut_to("https://example.org/file", 24, true) == "https://example.org/file");
    CHECK(fetch::cut_to("https://example.org/file", 15, true) == "https:/…rg/file");
    CHECK(fetch::cut_to("https://example.org/file", 15, false) == "https:...g/file");
    CHECK(fetch::cut_to("漢字漢字漢字", 8, true) == "漢…漢字");
    CHECK(fetch::cut_to("abcdef", 2, false) == "..");
    CHECK(fetch::cut_to("abcdef", 0, true).empty());
    for (const std::string text :
         {"漢a字b漢c字d漢e字", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "plain text"}) {
        for (std::size_t columns = 0; columns < 20; ++columns) {
            CHECK(fetch::columns_of(fetch::cut_to(text, columns, true)) <= columns);
            CHECK(fetch::columns_of(fetch::fill_to(text, columns, true)) == columns);
            CHECK(fetch::columns_of(fetch::fill_to(text, columns, false)) == columns);
        }
    }
}
