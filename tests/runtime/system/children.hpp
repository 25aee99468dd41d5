// SPDX-License-Identifier: MIT
// What the tests of child processes ask for: whether a child is left, and all of a stream.
#pragma once

#include <leat/system/process.hpp>

#include <array>
#include <cerrno>
#include <string>

#include <sys/wait.h>

namespace leat {

// Whether this process has no child, alive or not yet waited for.
inline bool no_child_is_left() {
    siginfo_t any;
    return ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

inline task<std::string> read_to_end(pipe_reader& from) {
    std::string all;
    std::array<char, 4096> block;
    while (const std::size_t size = co_await from.recv(block)) {
        all.append(block.data(), size);
    }
    co_return all;
}

}  // namespace leat
