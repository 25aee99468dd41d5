// SPDX-License-Identifier: MIT
#include "table.hpp"

#include <cstdio>

namespace io_models {

void print_heading(const workload& of) {
    std::printf(
        "Echo of 64 bytes, %d clients at most talking at once, %g s each; CPU and memory are the "
        "server's.\n\n",
        of.busy, of.length.count());
    std::printf("%-12s %7s %11s %10s %10s %15s %11s\n", "model", "clients", "requests/s", "median us",
                "p99 us", "CPU us/request", "KiB/client");
}

void print(const measurement& found) {
    const std::string name(found.of->name);
    if (found.works()) {
        char memory[32] = "-";
        if (found.memory >= 0) {
            std::snprintf(memory, sizeof memory, "%.1f", found.memory);
        }
        std::printf("%-12s %7d %11.0f %10.1f %10.1f %15.2f %11s\n", name.c_str(), found.clients,
                    found.throughput, found.median, found.p99, found.cpu, memory);
    } else {
        std::printf("%-12s %7d  %s\n", name.c_str(), found.clients, found.why.c_str());
    }
    std::fflush(stdout);
}

void print_stops_heading() {
    std::printf("\nWhere each stops\n\n");
}

void print(const stop& found) {
    std::string words = found.why_unknown.empty() ? "serves all" : "not measured: " + found.why_unknown;
    if (found.client > 0) {
        words = "client " + std::to_string(found.client) + (found.refused ? " is refused" : " waits") +
                "; the server's highest descriptor is " + std::to_string(found.highest_descriptor);
    }
    std::printf("%-12s %-24s %s%s%s\n", std::string(found.of->name).c_str(), found.limit.c_str(),
                words.c_str(), found.complaint.empty() ? "" : "; it says ", found.complaint.c_str());
    std::fflush(stdout);
}

}  // namespace io_models
