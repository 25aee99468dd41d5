// SPDX-License-Identifier: MIT
#include <leat/unix_endpoint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

#include <netinet/in.h>

using leat::unix_endpoint;

namespace {

constexpr std::size_t path_begins = offsetof(sockaddr_un, sun_path);

std::string refused(const std::string& path) {
    try {
        (void)unix_endpoint(path);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

unix_endpoint read_back(const unix_endpoint& from) {
    return unix_endpoint::from_sockaddr(from.data(), from.size());
}

}  // namespace

TEST_CASE("a Unix endpoint is a path, an abstract name, or nowhere") {
    const unix_endpoint path("/run/service.socket");
    CHECK(path.is_path());
    CHECK(path.name() == "/run/service.socket");
    CHECK(path.to_string() == "/run/service.socket");
    CHECK(path.size() == path_begins + path.name().size() + 1);
    const unix_endpoint abstract = unix_endpoint::abstract("service");
    CHECK(abstract.is_abstract());
    CHECK(abstract.name() == "service");
    CHECK(abstract.to_string() == "@service");
    CHECK(abstract.size() == path_begins + 1 + abstract.name().size());
    const unix_endpoint nowhere;
    CHECK_FALSE(nowhere.is_path());
    CHECK_FALSE(nowhere.is_abstract());
    CHECK(nowhere.to_string() == "nowhere");
    CHECK(nowhere.size() == path_begins);
    CHECK(path != unix_endpoint("/run/service"));
    CHECK(unix_endpoint("service") != abstract);
}

TEST_CASE("a Unix endpoint is read back from the name that it gave the kernel") {
    const std::string longest(unix_endpoint::longest, 'x');
    for (const auto& each : {unix_endpoint("/run/service.socket"), unix_endpoint(longest),
                             unix_endpoint::abstract("service"), unix_endpoint::abstract(longest),
                             unix_endpoint::abstract(std::string("a\0b", 3)), unix_endpoint()}) {
        CHECK(read_back(each) == each);
        CHECK(read_back(each).size() == each.size());
    }
    const sockaddr_in other{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    CHECK_THROWS_AS(
        (void)unix_endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&other), sizeof other),
        std::system_error);
}

TEST_CASE("a path that fills the kernel's room, without a zero behind it, is read whole") {
    sockaddr_un full{.sun_family = AF_UNIX, .sun_path = {}};
    std::fill(std::begin(full.sun_path), std::end(full.sun_path), 'x');
    const auto read = unix_endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&full), sizeof full);
    CHECK(read.name() == std::string(sizeof full.sun_path, 'x'));
    CHECK(read.size() == sizeof full);
}

TEST_CASE("what cannot be the name of a Unix socket is an error that says why") {
    const std::string too_long(unix_endpoint::longest + 1, 'x');
    CHECK(refused(too_long) ==
          "\"" + too_long + "\" is not the name of a Unix socket: it has 108 bytes, and 107 are the most");
    CHECK(refused("") == "\"\" is not the name of a Unix socket: it is empty");
    CHECK(refused(std::string("/run\0/x", 7)) ==
          "\"/run\" is not the name of a Unix socket: there is a zero behind that");
    CHECK_THROWS_AS((void)unix_endpoint::abstract(""), std::invalid_argument);
    CHECK_THROWS_AS((void)unix_endpoint::abstract(too_long), std::invalid_argument);
}
