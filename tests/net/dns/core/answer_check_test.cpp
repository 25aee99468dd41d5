// SPDX-License-Identifier: MIT
#include <leat/dns/core/answer_check.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using leat::detail::answer_check;
using leat::detail::has_whole_addresses;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

// An answer to a question about "a.b", with these records.
std::string message(int answers, std::string_view records) {
    using namespace std::string_literals;
    std::string text = "\x12\x34\x81\x80\x00\x01\x00"s;
    text += static_cast<char>(answers);
    text += "\0\0\0\0"s + "\1a\1b\0"s + "\0\1\0\1"s;
    return text.append(records);
}

// The record of an address, with a length of its own choice.
std::string record(char type, int length) {
    using namespace std::string_literals;
    std::string text = "\xc0\x0c\0"s;
    text += type;
    text += "\0\1\0\0\0\x3c\0"s;
    text += static_cast<char>(length);
    return text + std::string(static_cast<std::size_t>(length), '\7');
}

constexpr char a = 1;
constexpr char cname = 5;
constexpr char aaaa = 28;

}  // namespace

TEST_CASE("addresses of the right size are whole, and other records may have any") {
    CHECK(has_whole_addresses(bytes_of(message(0, ""))));
    CHECK(has_whole_addresses(bytes_of(message(1, record(a, 4)))));
    CHECK(has_whole_addresses(bytes_of(message(2, record(cname, 7) + record(aaaa, 16)))));
}

TEST_CASE("an address that is too short or too long is seen, wherever it stands") {
    CHECK_FALSE(has_whole_addresses(bytes_of(message(1, record(a, 3)))));
    CHECK_FALSE(has_whole_addresses(bytes_of(message(1, record(a, 16)))));
    CHECK_FALSE(has_whole_addresses(bytes_of(message(1, record(aaaa, 4)))));
    CHECK_FALSE(has_whole_addresses(bytes_of(message(3, record(a, 4) + record(cname, 0) + record(a, 0)))));
}

TEST_CASE("a message that ends among its answers is not whole, unless it says that it is truncated") {
    const std::string whole = message(2, record(a, 4) + record(aaaa, 16));
    std::string truncated = whole;
    truncated[2] = '\x83';
    const std::size_t before_answers = message(0, "").size();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        CAPTURE(size);
        const bool left_to_others = size < before_answers || size == whole.size();
        CHECK(has_whole_addresses(bytes_of(std::string_view(whole).substr(0, size))) == left_to_others);
        CHECK(has_whole_addresses(bytes_of(std::string_view(truncated).substr(0, size))));
    }
    CHECK_FALSE(has_whole_addresses(bytes_of(message(9, record(a, 4)))));
}

TEST_CASE("messages over TCP are looked at when they are whole, however they are cut") {
    const auto framed = [](const std::string& one) {
        return std::string(1, '\0') + static_cast<char>(one.size()) + one;
    };
    const std::string good = framed(message(1, record(a, 4)));
    const std::string bad = framed(message(1, record(a, 5)));
    for (std::size_t piece = 1; piece < good.size() + bad.size(); ++piece) {
        CAPTURE(piece);
        answer_check seen;
        const std::string both = good + bad;
        for (std::size_t at = 0; at < both.size(); at += piece) {
            CHECK_FALSE(seen.malformed());
            seen.stream(bytes_of(std::string_view(both).substr(at, piece)));
        }
        CHECK(seen.malformed());
    }
}

TEST_CASE("what a connection left behind does not count for the next") {
    answer_check seen;
    seen.stream(bytes_of(std::string_view("\0\x50half", 6)));
    seen.stream_ended();
    const std::string one = message(1, record(a, 5));
    seen.stream(bytes_of(std::string(1, '\0') + static_cast<char>(one.size()) + one));
    CHECK(seen.malformed());
}
