// SPDX-License-Identifier: MIT
// message_format: what stands at the front of received bytes, and what is sent before a message.
#include <leat/framing/message_format.hpp>

#include <leat/framing/core/part.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

using leat::framing_errc;
using leat::message_format;
using leat::detail::part;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

part look(const message_format& format, std::string_view held) {
    return format.look(held, 0);
}

// The text of the message at the front of `held`, and what follows it.
std::string message_in(const message_format& format, std::string_view held) {
    const part found = look(format, held);
    if (found.is != part::state::there) {
        return "(none)";
    }
    return std::string(held.substr(found.begin, found.size)) + "|" + std::string(held.substr(found.whole));
}

// What a peer that says this is refused with.
std::string refusal(const message_format& format, std::string_view held) {
    const part found = look(format, held);
    if (found.is != part::state::refused) {
        return "not refused";
    }
    try {
        format.refuse(found, held);
    } catch (const std::system_error& error) {
        CHECK(error.code() == found.why);
        return error.what();
    }
}

std::string refusal_to_send(const message_format& format, std::string_view message) {
    try {
        (void)format.head_of(message);
    } catch (const std::system_error& error) {
        CHECK(error.code().category() == leat::framing_category());
        return error.what();
    }
    return "not refused";
}

std::string head(const message_format& format, std::string_view message) {
    return std::string(format.head_of(message).text());
}

}  // namespace

TEST_CASE("a length in digits stands before its message, padded with zeros") {
    const auto five = message_format::with_digits(5);
    CHECK(message_in(five, "00005abcdefg") == "abcde|fg");
    CHECK(message_in(five, "00000") == "|");
    CHECK(message_in(five, "00005abcd") == "(none)");
    CHECK(message_in(five, "0000") == "(none)");
    CHECK(message_in(five, "") == "(none)");
    CHECK(message_in(message_format::with_digits(1), "3abc") == "abc|");
    CHECK(message_in(message_format::with_digits(10), "0000000003abc") == "abc|");
    CHECK(head(five, "abcde") == "00005");
    CHECK(head(five, "") == "00000");
    CHECK(head(message_format::with_digits(10), std::string(123'456, 'x')) == "0000123456");
    CHECK(head(message_format::with_digits(2), std::string(99, 'x')) == "99");
    CHECK(five.longest() == 99'999);
    CHECK(message_format::with_digits(19, {.limit = SIZE_MAX}).longest() == 9'999'999'999'999'999'999U);
}

TEST_CASE("only digits are a length in digits, and the first other byte is refused at once") {
    const auto five = message_format::with_digits(5);
    CHECK(refusal(five, "+") == "a message that begins with \"+\": not a length");
    CHECK(refusal(five, "-0005abcde") == "a message that begins with \"-\": not a length");
    CHECK(refusal(five, " 0005") == "a message that begins with \" \": not a length");
    CHECK(refusal(five, "0000 ") == "a message that begins with \"0000 \": not a length");
    CHECK(refusal(five, "1_000") == "a message that begins with \"1_\": not a length");
    CHECK(refusal(five, "0x010") == "a message that begins with \"0x\": not a length");
    CHECK(refusal(five, "GET / HTTP/1.1\r\n") == "a message that begins with \"G\": not a length");
    CHECK(refusal(five, "00\r\n") == "a message that begins with \"00\\x0d\": not a length");
    CHECK(refusal(five, "\xd9\xa1"sv) == "a message that begins with \"\\xd9\": not a length");
    CHECK(refusal(five, "00\0"sv) == "a message that begins with \"00\\x00\": not a length");
}

TEST_CASE("a length of zero, or over the limit, is refused before the message comes, and before it is sent") {
    const auto ten = message_format::with_digits(10, {.limit = 1'000, .empty = false});
    CHECK(refusal(ten, "0000000000") == "recv of a message: an empty message");
    CHECK(refusal(ten, "0000001001") == "a message of 1001 bytes, where at most 1000 are allowed: too long");
    CHECK(refusal(ten, "9999999999") ==
          "a message of 9999999999 bytes, where at most 1000 are allowed: too long");
    CHECK(message_in(ten, "0000001000") == "(none)");
    CHECK(refusal_to_send(ten, "") == "send of a message: an empty message");
    CHECK(refusal_to_send(ten, std::string(1'001, 'x')) ==
          "a message of 1001 bytes, where at most 1000 are allowed: too long");
    CHECK(refusal_to_send(ten, std::string(1'000, 'x')) == "not refused");
    CHECK(refusal_to_send(message_format::with_digits(2), std::string(100, 'x')) ==
          "a message of 100 bytes, where at most 99 are allowed: too long");
    CHECK(refusal(message_format::with_length(4), "\x00\x10\x00\x01"sv) ==
          "a message of 1048577 bytes, where at most 1048576 are allowed: too long");
    CHECK(message_in(message_format::with_length(4), "\x00\x10\x00\x00"sv) == "(none)");
}

TEST_CASE("a binary length has 1, 2, 4 or 8 bytes, in either order") {
    const auto big = std::endian::big;
    const auto little = std::endian::little;
    CHECK(message_in(message_format::with_length(1),
                     "\x03"
                     "abcd") == "abc|d");
    CHECK(message_in(message_format::with_length(2, big),
                     "\x00\x02"
                     "abc"sv) == "ab|c");
    CHECK(message_in(message_format::with_length(2, little),
                     "\x02\x00"
                     "abc"sv) == "ab|c");
    CHECK(message_in(message_format::with_length(4, big),
                     "\x00\x00\x00\x01"
                     "ab"sv) == "a|b");
    CHECK(message_in(message_format::with_length(8, little),
                     "\x01\x00\x00\x00\x00\x00\x00\x00"
                     "ab"sv) == "a|b");
    CHECK(message_in(message_format::with_length(8, big), "\x00\x00\x00\x00\x00\x00\x00"sv) == "(none)");
    const std::string text(0x123, 'x');
    CHECK(head(message_format::with_length(2, big), text) == "\x01\x23");
    CHECK(head(message_format::with_length(2, little), text) == "\x23\x01");
    CHECK(head(message_format::with_length(8, big), text) == "\x00\x00\x00\x00\x00\x00\x01\x23"s);
    CHECK(head(message_format::with_length(4, little), text) == "\x23\x01\x00\x00"s);
    CHECK(message_format::with_length(1).longest() == 255);
    CHECK(message_format::with_length(2).longest() == 65'535);
    CHECK(message_format::with_length(8, big, {.limit = SIZE_MAX}).longest() == SIZE_MAX);
    CHECK(refusal_to_send(message_format::with_length(1), std::string(256, 'x')) ==
          "a message of 256 bytes, where at most 255 are allowed: too long");
}

TEST_CASE("a length of 64 bits that nothing could hold is refused") {
    const auto anything = message_format::with_length(8, std::endian::big, {.limit = SIZE_MAX});
    const std::string all =
        "\xff\xff\xff\xff\xff\xff\xff\xff"
        "abc";
    CHECK(message_in(anything, all) == "(none)");  // it never comes, and has no memory
    CHECK(refusal(message_format::with_length(8), all) ==
          "a message of 18446744073709551615 bytes, where at most 1048576 are allowed: too long");
}

TEST_CASE("a varint has groups of seven bits, the lowest first, and at most 64 bits") {
    const auto varint = message_format::with_varint();
    CHECK(message_in(varint,
                     "\x03"
                     "abcd") == "abc|d");
    CHECK(message_in(varint,
                     "\x83\x00"
                     "abcd"sv) == "abc|d");  // longer than it need be
    CHECK(message_in(varint, "\x80") == "(none)");
    CHECK(head(varint, "abc") == "\x03");
    CHECK(head(varint, std::string(127, 'x')) == "\x7f");
    CHECK(head(varint, std::string(128, 'x')) == "\x80\x01");
    CHECK(head(varint, std::string(300, 'x')) == "\xac\x02");
    CHECK(message_in(varint, "\xac\x02" + std::string(301, 'x')) == std::string(300, 'x') + "|x");
    CHECK(refusal(varint, std::string(9, '\xff') + "\x02") ==
          "a message that begins with \"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x02\": not a length");
    CHECK(refusal(varint, std::string(10, '\x80')) ==
          "a message that begins with \"\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x80\": not a length");
    CHECK(refusal(varint, std::string(9, '\xff') + "\x01") ==
          "a message of 18446744073709551615 bytes, where at most 1048576 are allowed: too long");
}

TEST_CASE("a terminator ends a message, and no message that is sent looks as if it ended before") {
    const auto eom = message_format::with_terminator("\r<--EOM-->\r");
    CHECK(message_in(eom, "one\r<--EOM-->\rtwo") == "one|two");
    CHECK(message_in(eom, "\r<--EOM-->\r") == "|");
    CHECK(message_in(eom, "one\r<--EOM-->") == "(none)");
    CHECK(head(eom, "any") == "");
    CHECK(refusal_to_send(eom, "a\r<--EOM-->\rb") ==
          "send of a message: the terminator is inside the message");
    // With the terminator behind it, it has one that begins in it.
    CHECK(refusal_to_send(eom, "a\r<--EOM-->") == "send of a message: the terminator is inside the message");
    CHECK(refusal_to_send(eom, "a\r<--EOM--") == "not refused");
    CHECK(refusal_to_send(message_format::with_terminator("aa"), "a") ==
          "send of a message: the terminator is inside the message");
    CHECK(refusal_to_send(message_format::with_terminator("aab"), "a") == "not refused");
    const auto lines = message_format::with_terminator("\n", {.limit = 4, .empty = false});
    CHECK(refusal(lines, "12345") == "a message without its terminator in 4 bytes: too long");
    CHECK(refusal(lines, "12345\n") == "a message without its terminator in 4 bytes: too long");
    CHECK(message_in(lines, "1234\n") == "1234|");
    CHECK(refusal(lines, "\n1") == "recv of a message: an empty message");
    CHECK(refusal_to_send(lines, "12345") == "a message of 5 bytes, where at most 4 are allowed: too long");
}

TEST_CASE("the end of a terminator is found however many bytes have come before it, and not searched twice") {
    const std::string terminator = "<aab>";
    const auto format = message_format::with_terminator(terminator);
    const std::string text = "<a<aa<aab<aab>";
    std::size_t searched = 0;
    for (std::size_t size = 1; size < text.size(); ++size) {
        const part found = format.look(std::string_view(text).substr(0, size), searched);
        REQUIRE(found.is == part::state::missing);
        CHECK(found.searched >= searched);
        CHECK(found.searched + terminator.size() > size);
        searched = found.searched;
    }
    const part found = format.look(text, searched);
    CHECK(found.is == part::state::there);
    CHECK(found.size == 9);
}
