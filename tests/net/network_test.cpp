// SPDX-License-Identifier: MIT
#include <leat/network.hpp>

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <string>

namespace leat {

TEST_CASE("a network holds the addresses that begin as it does") {
    struct question {
        const char* in;
        const char* one;
        bool holds;
    };
    const std::array all{
        question{"10.0.0.0/8", "10.255.0.1", true},
        question{"10.0.0.0/8", "11.0.0.1", false},
        question{"10.1.2.3/8", "10.9.9.9", true},
        question{"192.0.2.128/25", "192.0.2.127", false},
        question{"192.0.2.128/25", "192.0.2.255", true},
        question{"0.0.0.0/0", "255.255.255.255", true},
        question{"0.0.0.0/0", "::1", false},
        question{"::/0", "::1", true},
        question{"::/0", "1.2.3.4", false},
        question{"10.0.0.0/8", "::ffff:10.0.0.1", true},
        question{"::ffff:10.0.0.1", "10.0.0.1", true},
        question{"::ffff:10.0.0.0/104", "10.255.0.1", true},
        question{"::ffff:10.0.0.0/104", "::ffff:10.255.0.1", true},
        question{"::ffff:10.0.0.0/104", "11.0.0.1", false},
        question{"::ffff:0.0.0.0/96", "11.0.0.1", true},
        question{"2001:db8::/33", "2001:db8:7fff::1", true},
        question{"2001:db8::/33", "2001:db8:8000::1", false},
        question{"[::1]", "::1", true},
        question{"127.0.0.1", "127.0.0.2", false},
        question{"fe80::/10", "fe80::1%1", true},
    };
    for (const question& each : all) {
        CAPTURE(each.in);
        CAPTURE(each.one);
        CHECK(network::parse(each.in).contains(address::parse(each.one)) == each.holds);
    }
}

TEST_CASE("what is no network is refused") {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8",
                             "10.0.0/8", "example.org", "10.0.0.0/ 8", "[::1"}) {
        CAPTURE(text);
        CHECK_FALSE(network::try_parse(text).ok());
    }
    CHECK_THROWS_WITH_AS((void)network::parse("10.0.0.0/33"), "no network of addresses: \"10.0.0.0/33\"",
                         std::invalid_argument);
    CHECK_THROWS_AS(network(address::loopback_ipv4(), 33), std::invalid_argument);
}

TEST_CASE("a network is written as it is read, and one of several is enough") {
    CHECK(network::parse("10.0.0.0/8").to_string() == "10.0.0.0/8");
    CHECK(network::parse("::1").to_string() == "::1/128");
    CHECK(network::parse("::ffff:10.0.0.0/104") == network::parse("10.0.0.0/8"));
    const std::array some{network(address::loopback_ipv4()), network::parse("10.0.0.0/8")};
    CHECK(any_contains(some, address::parse("10.1.1.1")));
    CHECK_FALSE(any_contains(some, address::parse("127.0.0.2")));
    CHECK_FALSE(any_contains({}, address::parse("127.0.0.1")));
}

}  // namespace leat
