// SPDX-License-Identifier: MIT
#include <leat/bytes.hpp>

#include <leat/chunk.hpp>

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using leat::byte_buffer;
using leat::byte_view;

std::string text_of(byte_view bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("arrays of one-byte values are all their bytes") {
    const std::byte bytes[3] = {std::byte{'a'}, std::byte{0}, std::byte{'c'}};
    const unsigned char numbers[3] = {'d', 0, 'f'};
    const signed char small[2] = {'g', 0};
    const std::uint8_t unsigned_bytes[2] = {'h', 0};
    std::byte changing[97] = {};
    CHECK(text_of(bytes) == std::string("a\0c", 3));
    CHECK(text_of(numbers) == std::string("d\0f", 3));
    CHECK(text_of(small) == std::string("g\0", 2));
    CHECK(text_of(unsigned_bytes) == std::string("h\0", 2));
    CHECK(byte_view(changing).size() == 97);
}

TEST_CASE("an array of characters is text, up to its first zero") {
    const char array[8] = "text";
    char changing[8] = "more";
    CHECK(text_of("literal") == "literal");
    CHECK(text_of(u8"l\u00fcgt") == "l\xc3\xbcgt");
    CHECK(text_of("") == "");
    CHECK(text_of(array) == "text");
    CHECK(text_of(changing) == "more");
    CHECK(byte_view(std::span(array)).size() == 8);
}

TEST_CASE("containers and views of one-byte values are bytes") {
    CHECK(text_of(std::string("a\0b", 3)) == std::string("a\0b", 3));
    CHECK(text_of(std::string_view("view")) == "view");
    CHECK(text_of(std::u8string_view(u8"view")) == "view");
    CHECK(text_of(std::vector<char>{'c', 'd'}) == "cd");
    CHECK(text_of(std::vector{std::byte{'e'}}) == "e");
    CHECK(text_of(std::vector<unsigned char>{'f', 0}) == std::string("f\0", 2));
    CHECK(text_of(std::array<char, 3>{'g', 0, 'h'}) == std::string("g\0h", 3));
    CHECK(text_of(std::array<std::byte, 1>{std::byte{'i'}}) == "i");
    const std::string kept = "span";
    CHECK(text_of(std::as_bytes(std::span(kept))) == "span");
    CHECK(text_of(byte_view(kept)) == "span");
}

TEST_CASE("what is received into is any lvalue of writable bytes, an array as a whole") {
    char text[5] = "";
    std::byte bytes[6];
    unsigned char numbers[7];
    std::string string(8, ' ');
    std::array<std::uint8_t, 9> array{};
    std::vector<char> vector(10);
    CHECK(byte_buffer(text).size() == 5);
    CHECK(byte_buffer(bytes).size() == 6);
    CHECK(byte_buffer(numbers).size() == 7);
    CHECK(byte_buffer(string).size() == 8);
    CHECK(byte_buffer(array).size() == 9);
    CHECK(byte_buffer(vector).size() == 10);
    CHECK(byte_buffer(std::span(vector).first(3)).size() == 3);
    CHECK(static_cast<void*>(byte_buffer(bytes).data()) == bytes);
}

static_assert(!std::convertible_to<std::vector<int>, byte_view>);
static_assert(!std::convertible_to<int (&)[2], byte_view>);
static_assert(!std::convertible_to<const std::string&, byte_buffer>);
static_assert(!std::convertible_to<const char (&)[2], byte_buffer>);
static_assert(!std::convertible_to<std::string, byte_buffer>);  // it would be gone before it is filled
static_assert(std::convertible_to<std::string, byte_view>);

TEST_CASE("an array of text that has no zero ends with its last character") {
    struct {
        char text[5] = {'h', 'e', 'l', 'l', 'o'};
        char secret[7] = "secret";
        char8_t wide[2] = {u8'a', u8'b'};
        char after[2] = "c";
    } packet;
    CHECK(byte_view(packet.text).size() == 5);
    CHECK(byte_view(packet.wide).size() == 2);
    CHECK(byte_view(std::as_const(packet).text).size() == 5);
    const char* const pointer = packet.secret;
    CHECK(byte_view(pointer).size() == 6);
    CHECK(byte_view(packet.secret).size() == 6);
    CHECK(byte_view(packet.after).size() == 1);
    char none[1] = {'x'};
    CHECK(byte_view(none).size() == 1);
    none[0] = 0;
    CHECK(byte_view(none).size() == 0);
}
