// SPDX-License-Identifier: MIT
// Shared by the tests of resolve(): options, addresses and failures.
#pragma once

#include <leat/dns/resolve.hpp>

#include "../../support/dns_server.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <set>

namespace lookups {

using leat::address;
using leat::address_families;
using leat::dns_errc;
using leat::resolve_options;
using leat::testing::dns_rcode;
using leat::testing::dns_reply;
using leat::testing::dns_server;
using leat::testing::dns_type;
using addresses = std::vector<address>;

inline const address first = address::parse("192.0.2.1");
inline const address second = address::parse("192.0.2.2");
inline const address v6 = address::parse("2001:db8::1");

// One try, and no patience beyond a moment, for servers that do not answer.
inline resolve_options hasty(const dns_server& server) {
    return {.servers = server.location(), .timeout = std::chrono::milliseconds(5), .tries = 1};
}

// Whatever the test server does, it has the time to do it.
inline resolve_options patient(const dns_server& server) {
    return {.servers = server.location(), .timeout = std::chrono::hours(1), .tries = 1};
}

// Nothing is asked for the other family.
inline resolve_options only_ipv4(resolve_options options) {
    options.families = address_families::ipv4;
    return options;
}

struct failure {
    std::error_code code;
    std::string text;
};

inline leat::task<failure> failure_of(std::string host, resolve_options options) {
    try {
        (void)co_await leat::resolve(host, options);
    } catch (const std::system_error& error) {
        co_return failure{error.code(), error.what()};
    }
    co_return failure{{}, "it was found"};
}

inline bool same_set(const addresses& a, const addresses& b) {
    return std::set<address>(a.begin(), a.end()) == std::set<address>(b.begin(), b.end()) &&
           a.size() == b.size();
}

}  // namespace lookups
