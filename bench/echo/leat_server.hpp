// SPDX-License-Identifier: MIT
// What the benchmarks' echo servers with leat's coroutines share: `--port PORT --backend NAME`, and the line
// that says where they listen.
#pragma once

#include <leat/run.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

inline void announce(std::string_view where) {
    std::printf("listening on %.*s\n", static_cast<int>(where.size()), where.data());
    std::fflush(stdout);
}

// Runs `serve(port)`, which gives a task.
template <typename Serve>
int run_server(int argc, char** argv, int port, Serve serve) {
    leat::run_options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (name == "--port") {
            port = std::atoi(argv[i + 1]);
        } else if (name == "--backend") {
            options.backend = argv[i + 1];
        }
    }
    return leat::run_main([port, serve] { return serve(port); }, options);
}
