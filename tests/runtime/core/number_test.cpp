// SPDX-License-Identifier: MIT
#include <leat/core/number.hpp>

#include <doctest/doctest.h>

#include <cstdint>

TEST_CASE("a number is digits and nothing else") {
    CHECK(leat::detail::parse_number<std::uint16_t>("0") == 0);
    CHECK(leat::detail::parse_number<std::uint16_t>("00080") == 80);
    CHECK(leat::detail::parse_number<std::uint16_t>("65535") == 65535);
    CHECK(leat::detail::parse_number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
    for (const char* text :
         {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "1,0", "65536", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(leat::detail::parse_number<std::uint16_t>(text));
    }
    CHECK_FALSE(leat::detail::parse_number<std::uint64_t>("18446744073709551616"));
    CHECK_FALSE(leat::detail::parse_number<std::uint16_t>(std::string_view()));
}
