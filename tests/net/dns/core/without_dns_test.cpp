// SPDX-License-Identifier: MIT
#include <leat/connect.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

LEAT_TEST("without DNS an address is its own answer, and a name says what is missing") {
    const auto found = co_await leat::resolve("127.0.0.1");
    CHECK(found == std::vector{leat::address::loopback_ipv4()});
    const auto local = co_await leat::resolve("localhost", {.families = leat::address_families::ipv4});
    CHECK(local == found);
    std::string what;
    try {
        (void)co_await leat::tcp_stream::connect("www.test", 80);
    } catch (const std::system_error& error) {
        CHECK(error.code() == leat::dns_errc::unsupported);
        what = error.what();
    }
    CHECK(what == "connect to www.test:80: built without DNS");
    try {
        (void)co_await leat::resolve("not a name");
    } catch (const std::system_error& error) {
        what = error.what();
    }
    CHECK(what == "resolve not\\x20a\\x20name: not a host name");
}
