// SPDX-License-Identifier: MIT
#include <fetch/list/line_splitter.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

void take_lines(fetch::line_splitter& from, std::vector<std::string>& into) {
    while (const auto line = from.next()) {
        into.emplace_back(line->text);
        REQUIRE(line->number == into.size());
    }
}

// In pieces of `size` bytes.
std::vector<std::string> lines_of(std::string_view text, std::size_t size) {
    fetch::line_splitter splitter(1000);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += size) {
        const std::string piece(text.substr(at, size));  // in memory of its own
        splitter.add(piece);
        take_lines(splitter, lines);
    }
    if (const auto line = splitter.last()) {
        lines.emplace_back(line->text);
        CHECK(line->number == lines.size());
    }
    CHECK(!splitter.last().has_value());
    return lines;
}

}  // namespace

TEST_CASE("lines end with LF, CR LF or CR, however the bytes come") {
    const std::vector<std::string> wanted{"one", "two", "", "three", "", "", "four", "", "five"};
    for (std::size_t size = 1; size < 40; ++size) {
        CAPTURE(size);
        CHECK(lines_of("one\ntwo\r\n\r\nthree\r\r\n\nfour\r\rfive", size) == wanted);
        CHECK(lines_of("one\n", size) == std::vector<std::string>{"one"});
        CHECK(lines_of("", size).empty());
        CHECK(lines_of("\r", size) == std::vector<std::string>{""});
    }
}

TEST_CASE("a line is there with its CR, before the byte behind it has come") {
    fetch::line_splitter splitter(10);
    splitter.add("one\r");
    REQUIRE(splitter.next().value().text == "one");
    CHECK(!splitter.next().has_value());
    splitter.add("\ntwo\n");
    CHECK(splitter.next().value().text == "two");
    CHECK(!splitter.next().has_value());
    CHECK(!splitter.last().has_value());
}

TEST_CASE("of a line that is too long the front is kept, and the next one is whole") {
    for (std::size_t size = 1; size < 40; ++size) {
        fetch::line_splitter splitter(4);
        const std::string text = "1234\n12345678901234567\r\n123\n123456";
        std::vector<std::string> seen;
        const auto note = [&](const auto& line) {
            seen.push_back(std::string(line.text) + (line.too_long ? "!" : ""));
        };
        for (std::size_t at = 0; at < text.size(); at += size) {
            splitter.add(std::string_view(text).substr(at, size));
            while (const auto line = splitter.next()) {
                note(*line);
            }
        }
        note(splitter.last().value());
        CHECK(seen == std::vector<std::string>{"1234", "1234!", "123", "1234!"});
    }
}
