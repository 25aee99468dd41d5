// SPDX-License-Identifier: MIT
#include <leat/dns/core/host_name.hpp>

#include <doctest/doctest.h>

#include <string>

using leat::detail::literal_address;
using leat::detail::name_to_ask;
using leat::detail::printable;

TEST_CASE("an IP address is recognised in each of its notations") {
    CHECK(literal_address("127.0.0.1") == leat::address::loopback_ipv4());
    CHECK(literal_address("::1") == leat::address::loopback_ipv6());
    CHECK(literal_address("[::1]") == leat::address::loopback_ipv6());
    CHECK(literal_address("fe80::1%lo")->scope_id() != 0);
    CHECK(!literal_address("[127.0.0.1]"));
    CHECK(!literal_address("localhost"));
    CHECK(!literal_address(""));
    CHECK(!literal_address("[]"));
}

TEST_CASE("a name is asked for in lower case, and absolute when it was") {
    CHECK(name_to_ask("WWW.Example.ORG") == "www.example.org");
    CHECK(name_to_ask("example.org.") == "example.org.");
    CHECK(name_to_ask("host") == "host");
    CHECK(name_to_ask("_service.under_score.example") == "_service.under_score.example");
    CHECK(name_to_ask("xn--bcher-kva.example") == "xn--bcher-kva.example");
    CHECK(name_to_ask("3com.example") == "3com.example");
}

TEST_CASE("every name of localhost is asked for as localhost") {
    CHECK(name_to_ask("LocalHost") == "localhost");
    CHECK(name_to_ask("localhost.") == "localhost");
    CHECK(name_to_ask("app.localhost") == "localhost");
    CHECK(name_to_ask("app.localhost.") == "localhost");
    CHECK(name_to_ask("notlocalhost") == "notlocalhost");
}

TEST_CASE("localhost has an address of each family, the known one or the usual one") {
    using leat::address;
    using leat::address_families;
    using leat::detail::localhost_addresses;
    const std::vector<address> known{address::parse("127.0.0.7")};
    const std::vector<address> v4{address::loopback_ipv4()};
    const std::vector<address> v6{address::loopback_ipv6()};
    CHECK(localhost_addresses(known, address_families::any) == known);
    CHECK(localhost_addresses(known, address_families::ipv4) == known);
    CHECK(localhost_addresses(known, address_families::ipv6) == v6);
    CHECK(localhost_addresses({}, address_families::ipv4) == v4);
    CHECK(localhost_addresses({}, address_families::any).size() == 2);
}

TEST_CASE("what is not a host name is not asked for") {
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
    CHECK(longest.size() == 253);
    CHECK(name_to_ask(longest) == longest);
    CHECK(name_to_ask(longest + ".") == longest + ".");
    CHECK(name_to_ask(longest + "a").empty());
    CHECK(name_to_ask(label + ".example") == label + ".example");
    CHECK(name_to_ask(label + "a.example").empty());
    CHECK(name_to_ask(std::string(300, 'a')).empty());
    CHECK(name_to_ask(std::string("example.org\0.evil", 17)).empty());
    for (const char* wrong :
         {"", ".", "..", "a..b", ".a", "a..", "a b", "a/b", "a:80", "http://a", "a%b", "b\xc3\xbc"}) {
        CAPTURE(wrong);
        CHECK(name_to_ask(wrong).empty());
    }
}

TEST_CASE("a name that other resolvers read as an IPv4 address is not asked for") {
    for (const char* wrong :
         {"127.1", "256.1.1.1", "1.2.3.4.5", "2130706433", "0x7f.0.0.1", "host.0x10", "1.2.3.4."}) {
        CAPTURE(wrong);
        CHECK(name_to_ask(wrong).empty());
    }
}

TEST_CASE("a host is shown so that nothing in it is hidden") {
    CHECK(printable("example.org") == "example.org");
    CHECK(printable("") == "\"\"");
    CHECK(printable(std::string("a\0b\n", 4)) == "a\\x00b\\x0a");
    CHECK(printable(std::string(300, 'a')) == std::string(100, 'a') + "... (300 characters)");
}
