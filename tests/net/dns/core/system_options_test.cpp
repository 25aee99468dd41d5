// SPDX-License-Identifier: MIT
#include <leat/dns/core/system_options.hpp>

#include "../lookups.hpp"

#include <cstdlib>

using namespace lookups;
using namespace std::chrono_literals;
using leat::detail::parse_system_options;
using leat::detail::system_options;

TEST_CASE("the options of resolv.conf are taken, and the last word counts") {
    CHECK(parse_system_options("", "") == system_options{});
    CHECK(parse_system_options("nameserver 192.0.2.1\noptions timeout:1 attempts:1\n", "") ==
          system_options{.timeout = 1s, .attempts = 1});
    CHECK(parse_system_options("options\ttimeout:3  rotate\r\noptions attempts:4 use-vc", "") ==
          system_options{.timeout = 3s, .attempts = 4, .over_tcp = true, .rotate = true});
    CHECK(parse_system_options("options timeout:3\n  options timeout:2", "") ==
          system_options{.timeout = 2s});
    CHECK(parse_system_options("options timeout:3", "timeout:1") == system_options{.timeout = 1s});
    CHECK(parse_system_options("", "attempts:2 use-vc") == system_options{.attempts = 2, .over_tcp = true});
}

TEST_CASE("numbers of resolv.conf are bounded as its manual says, and what is none is passed over") {
    CHECK(parse_system_options("options timeout:99 attempts:99", "") ==
          system_options{.timeout = 30s, .attempts = 5});
    for (const char* wrong :
         {"options timeout:0 attempts:0", "options timeout: attempts:x", "options timeout:1s attempts:-1",
          "options timeout:99999999999 Rotate", "#options timeout:1", "; options timeout:1",
          "option timeout:1", "search options timeout:1"}) {
        CAPTURE(wrong);
        CHECK(parse_system_options(wrong, "") == system_options{});
    }
}

namespace {

// RES_OPTIONS while this lives.
class environment {
public:
    explicit environment(const char* options) { CHECK(::setenv("RES_OPTIONS", options, 1) == 0); }
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment() { ::unsetenv("RES_OPTIONS"); }
};

resolve_options quick(const dns_server& server, int tries) {
    return {.families = address_families::ipv4,
            .servers = server.location(),
            .timeout = std::chrono::milliseconds(5),
            .tries = tries};
}

}  // namespace

LEAT_TEST("a silent server is asked as often as the system says, unless the options say otherwise",
          on(kernel)) {
    const environment chosen("attempts:2");
    dns_server server;
    server.set("slow.test", {.how = dns_reply::manner::silent});
    const auto failed = co_await failure_of("slow.test", quick(server, 0));
    CHECK(failed.code == dns_errc::timed_out);
    CHECK(server.asked() == 2);
    const auto once = co_await failure_of("slow.test", quick(server, 1));
    CHECK(once.code == dns_errc::timed_out);
    CHECK(server.asked() == 3);
}

LEAT_TEST("questions go over TCP when the system says so", on(kernel)) {
    const environment chosen("use-vc");
    dns_server server;
    server.set("www.test", {.addresses = {first}});
    const addresses found = co_await leat::resolve("www.test", patient(server));
    CHECK(found == addresses{first});
    CHECK(server.asked() == 2);
    CHECK(server.asked_over_tcp() == 2);
}
