// SPDX-License-Identifier: MIT
#include <leat/endpoint.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <ostream>  // doctest prints a std::error_code through it
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_set>

using leat::endpoint;

TEST_CASE("an endpoint is made of an address and a port") {
    const endpoint made{"127.0.0.1", 8001};
    CHECK(made.address() == leat::address::loopback_ipv4());
    CHECK(made.port() == 8001);
    CHECK(made.is_ipv4());
    CHECK(made.to_string() == "127.0.0.1:8001");
    CHECK(endpoint{"::1", 8001}.to_string() == "[::1]:8001");
    CHECK(endpoint{"[::1]", 8001} == endpoint{leat::address::loopback_ipv6(), 8001U});
    CHECK(endpoint{"fe80::1%2", 80}.to_string() == "[fe80::1%2]:80");
    CHECK(endpoint{"::", 65535}.port() == 65535);
    CHECK(endpoint().to_string() == "0.0.0.0:0");
}

TEST_CASE("a host name or an impossible port is refused by name") {
    const auto make = [](std::string_view host, std::int64_t port) {
        return endpoint(host, port).to_string();
    };
    CHECK_THROWS_WITH_AS(make("localhost", 80), doctest::Contains("\"localhost\""), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("", 80), doctest::Contains("\"\""), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("[127.0.0.1]", 80), doctest::Contains("[127.0.0.1]"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("127.0.0.1", 70000), doctest::Contains("port 70000"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("127.0.0.1", -1), doctest::Contains("port -1"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("127.0.0.1", 65536), doctest::Contains("port 65536"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make("127.0.0.1", 4294967376), doctest::Contains("4294967376"),
                         std::invalid_argument);
}

TEST_CASE("an endpoint survives the way to text and back") {
    for (const char* text : {"127.0.0.1:8001", "[::1]:8001", "[fe80::1%2]:80", "0.0.0.0:0", "[::]:65535",
                             "[::ffff:10.0.0.1]:443"}) {
        CAPTURE(text);
        CHECK(endpoint::parse(text).to_string() == text);
    }
    CHECK(endpoint::parse("127.0.0.1:0080").port() == 80);
}

TEST_CASE("text that is not ADDRESS:PORT is refused, and the error names it") {
    const auto bad = {"",
                      "127.0.0.1",
                      "127.0.0.1:",
                      ":80",
                      "::1:80",
                      "[::1]",
                      "[::1]80",
                      "[127.0.0.1]:80",
                      "127.0.0.1:65536",
                      "127.0.0.1:-1",
                      "127.0.0.1:+1",
                      "127.0.0.1: 1",
                      "127.0.0.1:1 ",
                      "localhost:80",
                      "[]:80",
                      "[::1:80",
                      "127.0.0.1:0x50",
                      "a:b:c"};
    for (const std::string text : bad) {
        CAPTURE(text);
        CHECK(endpoint::try_parse(text).error() == std::errc::invalid_argument);
        CHECK_THROWS_WITH_AS(static_cast<void>(endpoint::parse(text)), doctest::Contains(text.c_str()),
                             std::invalid_argument);
    }
}

TEST_CASE("an endpoint is the sockaddr that the kernel wants, and comes back from one") {
    for (const endpoint original : {endpoint{"10.1.2.3", 4567}, endpoint{"fe80::1%3", 89}}) {
        CHECK(original.data()->sa_family == original.family());
        CHECK(endpoint::from_sockaddr(original.data(), original.size()) == original);
        sockaddr_storage roomy{};
        std::memcpy(&roomy, original.data(), original.size());
        CHECK(endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&roomy), sizeof roomy) == original);
        CHECK_THROWS_AS(static_cast<void>(endpoint::from_sockaddr(original.data(), original.size() - 1)),
                        std::system_error);
    }
    CHECK(endpoint("10.1.2.3", 1).size() == sizeof(sockaddr_in));
    CHECK(endpoint("::", 1).size() == sizeof(sockaddr_in6));
    sockaddr unix_name{};
    unix_name.sa_family = AF_UNIX;
    CHECK_THROWS_AS(static_cast<void>(endpoint::from_sockaddr(&unix_name, sizeof unix_name)),
                    std::system_error);
    CHECK_THROWS_AS(static_cast<void>(endpoint::from_sockaddr(nullptr, 0)), std::system_error);
}

TEST_CASE("endpoints are small values that compare and hash by address and port") {
    static_assert(sizeof(endpoint) == 28);
    static_assert(std::is_trivially_destructible_v<endpoint>);
    CHECK(endpoint{"10.0.0.1", 2} < endpoint{"10.0.0.2", 1});
    CHECK(endpoint{"10.0.0.1", 1} < endpoint{"10.0.0.1", 2});
    CHECK(endpoint{"10.0.0.1", 1} != endpoint{"::ffff:10.0.0.1", 1});
    std::unordered_set<endpoint> set{{"10.0.0.1", 1}, {"10.0.0.1", 2}, {"10.0.0.1", 1}, {"::1", 1}};
    CHECK(set.size() == 3);
    CHECK(set.contains(endpoint::parse("[::1]:1")));
}
