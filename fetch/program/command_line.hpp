// SPDX-License-Identifier: MIT
// command_line: what leat-fetch is asked to do. CLI11 reads it; it is included by command_line.cpp only.
#pragma once

#include <fetch/engine/settings.hpp>
#include <fetch/views/views.hpp>

#include <leat/http/client.hpp>

#include <string>
#include <vector>

namespace fetch {

// What the client's options refer to lives here.
struct client_settings {
    std::string ca_file = {};
    bool insecure = false;
    std::string certificate = {};
    std::string key = {};
    std::string user_agent = "leat-fetch";
    std::string unix_socket = {};
    std::string proxy = {};
    std::string no_proxy = {};
    bool without_proxy = false;
    bool only_http1 = false;
    bool http2 = false;  // also without TLS, of servers that are known to speak it
    bool ipv4 = false;
    bool ipv6 = false;
};

struct command {
    std::vector<std::string> urls = {};
    std::vector<std::string> lists = {};
    settings how = {};
    client_settings client = {};
    view_options shown = {};
    std::string failed_list = {};  // where failed jobs are written, as a list; empty: nowhere
    std::string backend = {};
};

// True: go on. Otherwise `status` is what main returns: 0 after --help and --version, 1 when that could not
// be written, 2 for bad arguments, which are explained in one line.
[[nodiscard]] bool read_command_line(int argc, char** argv, command& into, int& status);

[[nodiscard]] leat::http::client_options client_options_of(const command& asked, std::size_t idle);

}  // namespace fetch
