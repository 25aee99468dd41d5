// SPDX-License-Identifier: MIT
// What the programs that measure steps share: which step, how often, and what it cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <utility>

#include <time.h>

namespace steps {

inline double began;

inline double cpu_time() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

inline void begin() {
    began = cpu_time();
}

// Prints the nanoseconds of CPU time each of `count` steps took since begin().
inline void end(std::size_t count) {
    std::printf("%.2f\n", (cpu_time() - began) / static_cast<double>(count));
    std::fflush(stdout);  // some end without returning from main
}

// A number below 2^30 that looks like chance, the same for the same `i`.
inline std::int64_t scattered(std::uint64_t i) {
    return static_cast<std::int64_t>((i * 0x9E3779B97F4A7C15U) >> 34);
}

inline std::size_t count(char** argv) {
    return std::strtoull(argv[2], nullptr, 10);
}

// The function of the step that the command line names.
template <typename Function>
Function chosen(int argc, char** argv, std::initializer_list<std::pair<const char*, Function>> all) {
    if (argc == 3) {
        for (const auto& [name, function] : all) {
            if (std::strcmp(argv[1], name) == 0) {
                return function;
            }
        }
    }
    std::fprintf(stderr, "usage: %s STEP COUNT; the steps:", argv[0]);
    for (const auto& each : all) {
        std::fprintf(stderr, " %s", each.first);
    }
    std::fputc('\n', stderr);
    std::exit(2);
}

}  // namespace steps
