// SPDX-License-Identifier: MIT
// What the two poetry clients share: their command line and the elapsed time.
#pragma once

#include "command_line.hpp"

#include <chrono>
#include <cstdio>

namespace examples {

// "0:00:04.003": hours, minutes, seconds.
inline std::string elapsed_since(leat::time_point start) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(leat::now() - start);
    const std::chrono::hh_mm_ss parts(elapsed);
    char text[32];
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld.%03ld", static_cast<long>(parts.hours().count()),
                  static_cast<long>(parts.minutes().count()), static_cast<long>(parts.seconds().count()),
                  static_cast<long>(parts.subseconds().count()));
    return text;
}

// Runs `body(targets)` on the servers of the command line, or on the three default ones.
template <typename Body>
int run_poetry_client(const char* name, const char* purpose, int argc, char** argv, Body body) {
    command_line command(name, purpose);
    std::vector<std::string> servers = {"127.0.0.1:10000", "127.0.0.1:10001", "127.0.0.1:10002"};
    std::string backend;
    command.add("servers", servers, "the poetry servers", kind::target);
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return body(parse_targets(servers)); }, {.backend = backend});
}

}  // namespace examples
