// SPDX-License-Identifier: MIT
#include <leat/address.hpp>

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <stdexcept>
#include <string>
#include <unordered_set>

#include <net/if.h>

using leat::address;

TEST_CASE("an address survives the way to text and back") {
    const auto text = {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::",
                       "::1",     "fe80::1%2", "2001:db8::5",     "::ffff:10.0.0.1"};
    for (const char* each : text) {
        CAPTURE(each);
        CHECK(address::parse(each).to_string() == each);
        CHECK(address::parse(address::parse(each).to_string()) == address::parse(each));
    }
    CHECK(address::parse("0:0:0:0:0:0:0:1").to_string() == "::1");
    CHECK(address::parse("2001:DB8::A").to_string() == "2001:db8::a");
}

TEST_CASE("what is not exactly an address is refused, and the error names it") {
    const auto text = {"",
                       "localhost",
                       "127.1",
                       "010.0.0.1",
                       "1.2.3.4.5",
                       "256.0.0.1",
                       " 127.0.0.1",
                       "127.0.0.1 ",
                       "0x7f.0.0.1",
                       "[::1]",
                       ":::",
                       "1::2::3",
                       "::1%",
                       "::1%0",
                       "::1%no-such-interface-here",
                       "127.0.0.1%1",
                       "12345::",
                       "::1%4294967296"};
    for (const std::string each : text) {
        CAPTURE(each);
        CHECK(address::try_parse(each).error() == std::errc::invalid_argument);
        CHECK_THROWS_WITH_AS(static_cast<void>(address::parse(each)), doctest::Contains(each.c_str()),
                             std::invalid_argument);
    }
    CHECK_FALSE(address::try_parse(std::string_view("127.0.0.1\0", 10)));
    CHECK_FALSE(address::try_parse(std::string_view("::1\0", 4)));
}

TEST_CASE("the scope of an address may be the name of an interface") {
    CHECK(address::parse("fe80::1%lo").scope_id() == ::if_nametoindex("lo"));
    CHECK(address::parse("fe80::1%1") != address::parse("fe80::1%2"));
    CHECK(address::parse("fe80::1").scope_id() == 0);
}

TEST_CASE("addresses know their kind") {
    CHECK(address::parse("127.3.2.1").is_loopback());
    CHECK(address::loopback_ipv6().is_loopback());
    CHECK_FALSE(address::parse("128.0.0.1").is_loopback());
    CHECK_FALSE(address::parse("7f00::1").is_loopback());
    CHECK(address::any_ipv4().is_unspecified());
    CHECK(address::any_ipv6().is_unspecified());
    CHECK_FALSE(address::loopback_ipv4().is_unspecified());
    CHECK(address::parse("169.254.1.1").is_link_local());
    CHECK(address::parse("febf::1").is_link_local());
    CHECK_FALSE(address::parse("fec0::1").is_link_local());
    CHECK(address::parse("239.0.0.1").is_multicast());
    CHECK(address::parse("ff02::1").is_multicast());
    CHECK_FALSE(address::parse("240.0.0.1").is_multicast());
}

TEST_CASE("a mapped IPv4 address can be taken out of its IPv6 one") {
    const address mapped = address::parse("::ffff:10.1.2.3");
    CHECK(mapped.is_ipv6());
    CHECK(mapped.is_ipv4_mapped());
    CHECK(mapped != mapped.unmapped());
    CHECK(mapped.unmapped() == address::parse("10.1.2.3"));
    CHECK(address::parse("::10.1.2.3").unmapped() == address::parse("::10.1.2.3"));
    CHECK_FALSE(address::parse("10.1.2.3").is_ipv4_mapped());
}

TEST_CASE("addresses are ordered: IPv4 first, then by value and scope") {
    CHECK(address::parse("255.0.0.0") < address::parse("::"));
    CHECK(address::parse("9.0.0.0") < address::parse("10.0.0.0"));
    CHECK(address::parse("fe80::1%1") < address::parse("fe80::1%2"));
    CHECK(address::any_ipv4() != address::any_ipv6());
    CHECK(address() == address::any_ipv4());
}

TEST_CASE("addresses that differ in their last bits hash apart") {
    std::unordered_set<std::size_t> seen;
    for (std::uint8_t last = 0; last < 255; ++last) {
        seen.insert(std::hash<address>()(address(address::ipv4_bytes{10, 0, 0, last})));
    }
    seen.insert(std::hash<address>()(address::any_ipv6()));
    seen.insert(std::hash<address>()(address::any_ipv4()));
    CHECK(seen.size() == 257);
    CHECK(std::hash<address>()(address::parse("::1")) == std::hash<address>()(address::loopback_ipv6()));
}
