// SPDX-License-Identifier: MIT
// resolve: the addresses of a host. c-ares looks names up as the system's files say (/etc/hosts,
// /etc/resolv.conf, /etc/nsswitch.conf), and its sockets are waited for by the scheduler: nothing blocks the
// loop and no thread is started. A simulation has no name servers, but a table of names.
#pragma once

#include <leat/address.hpp>
#include <leat/clock.hpp>
#include <leat/dns/error.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

enum class address_families : std::uint8_t { any, ipv4, ipv6 };

struct resolve_options {
    // Which addresses are wanted; there is no query for the other family.
    address_families families = address_families::any;
    // "192.0.2.1, 192.0.2.2:5353, [2001:db8::1]:53", in the order of the queries; search domains are then
    // left out. Empty: what /etc/resolv.conf says. Stays alive until resolve() has been awaited.
    std::string_view servers = {};
    // For one try at one server; longer in each round. 0: what resolv.conf or the environment's RES_OPTIONS
    // says ("options timeout:1"), or else 2 s. Later versions of c-ares take less than 250 ms for that.
    duration timeout = duration::zero();
    // How often each server is tried. 0: what resolv.conf or RES_OPTIONS says ("attempts:1"), or else 3
    // times.
    int tries = 0;
    // How old an answer may be that is used again. It is remembered for as long as it says itself (RFC 1035:
    // its time to live; RFC 2308 for names that do not exist), until /etc/hosts or /etc/resolv.conf changes,
    // by each run(), which knows a thousand names. Zero: servers are asked each time.
    duration cache_time = std::chrono::hours(1);
};

// The addresses of `host`, best first (RFC 6724), at least one. An IP address, with or without brackets,
// is its own answer and given at once. Tasks that ask for one name at the same time share one query.
// Throws std::system_error with a dns_errc, as "resolve no-such-host.invalid: no such host". International
// names are given in their xn-- form. Of an answer the first 1024 addresses are taken. Cancelling it is
// prompt; the query goes on for the next task with the same question, until its place is needed.
[[nodiscard]] task<std::vector<address>> resolve(std::string host, resolve_options options = {});

}  // namespace leat
