// SPDX-License-Identifier: MIT
#include <leat/dns/core/negative_answer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace std::string_literals;
using leat::detail::read_negative_answer;

namespace {

std::optional<leat::duration> lifetime_of(std::string_view text) {
    const auto found = read_negative_answer(std::as_bytes(std::span(text)));
    return found ? std::optional(found->holds) : std::nullopt;
}

// An answer to a question about "a.b", of this kind (RCODE), with so many answers and authorities.
std::string message(char kind, char answers, char authorities, std::string_view records) {
    std::string text = "\x12\x34\x81"s;
    text += static_cast<char>(0x80 | kind);
    text += "\0\1\0"s + answers + "\0"s + authorities + "\0\0"s + "\1a\1b\0"s + "\0\1\0\1"s;
    return text.append(records);
}

std::string number(std::uint32_t value) {
    std::string text;
    for (const int shift : {24, 16, 8, 0}) {
        text += static_cast<char>(value >> shift & 0xff);
    }
    return text;
}

std::string record(char type, std::uint32_t lives, std::string_view data) {
    std::string text = "\xc0\x0c\0"s + type + "\0\1"s + number(lives) + '\0';
    text += static_cast<char>(data.size());
    return text.append(data);
}

std::string soa(std::uint32_t lives, std::uint32_t minimum) {
    return record(6, lives, "\2ns\xc0\x0e\4root\0"s + std::string(16, '\7') + number(minimum));
}

constexpr char no_error = 0;
constexpr char server_failure = 2;
constexpr char name_error = 3;

}  // namespace

TEST_CASE("that a name is not there holds for the lower of two numbers of the zone") {
    CHECK(lifetime_of(message(name_error, 0, 1, soa(60, 300))) == 60s);
    CHECK(lifetime_of(message(name_error, 0, 1, soa(300, 60))) == 60s);
    CHECK(lifetime_of(message(no_error, 0, 1, soa(3600, 7200))) == 1h);
}

TEST_CASE("other records may come with it; and an alias before it may hold for less time") {
    const auto alias = [](std::uint32_t lives) { return record(5, lives, "\1c\xc0\x0e"); };
    CHECK(lifetime_of(message(no_error, 1, 1, alias(90) + soa(60, 300))) == 60s);
    CHECK(lifetime_of(message(no_error, 2, 1, alias(90) + alias(30) + soa(60, 300))) == 30s);
    CHECK(lifetime_of(message(name_error, 0, 2, record(46, 30, "signed") + soa(60, 300))) == 60s);
}

TEST_CASE("without a zone's record it holds for no time, nor when a number is negative") {
    CHECK(lifetime_of(message(name_error, 0, 0, "")) == 0s);
    CHECK(lifetime_of(message(name_error, 0, 1, record(2, 30, "\2ns\xc0\x0e"))) == 0s);
    CHECK(lifetime_of(message(name_error, 0, 1, soa(0x80000000, 300))) == 0s);
    CHECK(lifetime_of(message(name_error, 0, 1, soa(60, 0xffffffff))) == 0s);
}

TEST_CASE("a message with an address, a failure, and what cannot be read say nothing about it") {
    CHECK_FALSE(lifetime_of(message(no_error, 1, 0, record(1, 30, "1234"))));
    CHECK_FALSE(lifetime_of(message(no_error, 1, 0, record(28, 30, "1234567890123456"))));
    CHECK_FALSE(lifetime_of(message(server_failure, 0, 1, soa(60, 300))));
    const std::string whole = message(name_error, 0, 1, soa(60, 300));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(lifetime_of(whole.substr(0, size)));
    }
}
