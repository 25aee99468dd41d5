// SPDX-License-Identifier: MIT
// client_settings: how leat-fetch connects, and as whom, as plain data. The command line fills it.
#pragma once

#include <leat/address.hpp>

#include <string>
#include <vector>

namespace fetch {

// Of --resolve: a host's addresses, which need not be looked up.
struct host_addresses {
    std::string host;
    int port = 0;
    std::vector<leat::address> addresses;
};

struct client_settings {
    std::string ca_file = {};
    bool insecure = false;
    std::string certificate = {};
    std::string key = {};
    std::string key_log = {};
    std::string user_agent = "leat-fetch";
    std::string unix_socket = {};
    std::string proxy = {};
    std::string no_proxy = {};
    bool without_proxy = false;
    bool only_http1 = false;
    bool http2 = false;  // also without TLS, of servers that are known to speak it
    bool ipv4 = false;
    bool ipv6 = false;
    std::string interface = {};
    std::vector<host_addresses> resolved = {};
    std::string user = {};  // "name:password", for the hosts of the jobs' URLs
    std::string netrc = {};
    std::vector<std::string> cookies = {};  // files to load
    std::string cookie_jar = {};            // a file to save to
};

}  // namespace fetch
