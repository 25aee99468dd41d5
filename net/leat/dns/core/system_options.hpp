// SPDX-License-Identifier: MIT
// system_options: the options for name look-ups in /etc/resolv.conf and in the environment variable
// RES_OPTIONS (resolv.conf(5)). They are read here because c-ares 1.18 does not know all of them, and so each
// version does the same. c-ares itself reads "ndots", "search", "domain", LOCALDOMAIN and the servers. Used
// by resolver only.
#pragma once

#include <leat/clock.hpp>

#include <string_view>

namespace leat::detail {

struct system_options {
    friend bool operator==(const system_options&, const system_options&) = default;

    duration timeout = duration::zero();  // of one try; zero: they do not say
    int attempts = 0;                     // at each server; 0: they do not say
    bool over_tcp = false;                // use-vc
    bool rotate = false;
};

// The options of a resolv.conf with this text, and then of RES_OPTIONS, of which the last word counts. What
// is unknown or no number is passed over; numbers are at most those of resolv.conf(5).
[[nodiscard]] system_options parse_system_options(std::string_view resolv_conf, std::string_view environment);

// Those of this machine and process. Without a readable file there are those of the environment.
[[nodiscard]] system_options read_system_options();

}  // namespace leat::detail
