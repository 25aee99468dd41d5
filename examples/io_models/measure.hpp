// SPDX-License-Identifier: MIT
// What one model does with so many clients, and the client at which it stops.
#pragma once

#include "model.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace io_models {

struct workload {
    int clients = 1;
    int busy = 100;  // at most so many have a message under way
    std::chrono::duration<double> length{1};
};

struct measurement {
    const model* of = nullptr;
    int clients = 0;
    int answered = 0;            // fewer than clients: it has stopped
    std::string why;             // there are no figures; empty: there are
    double throughput = 0;       // requests a second
    double median = 0, p99 = 0;  // microseconds from a message to its reply
    double cpu = 0;              // microseconds of the server a request
    double memory = -1;          // KiB of the server a client; negative: not known, for one client

    [[nodiscard]] bool works() const { return why.empty(); }
};

[[nodiscard]] measurement measure(const model& which, const workload& of);
// The median of each figure, or the first that failed. There is one at least.
[[nodiscard]] measurement median_of(std::vector<measurement> rounds);

struct stop {
    const model* of = nullptr;
    int client = 0;              // the first that is not served; 0: all were, or it is not known
    bool refused = false;        // the server closed its connection; otherwise it waits
    int highest_descriptor = 0;  // of the server by then
    std::string limit;           // in a few words
    std::string complaint;       // what the server says; empty: nothing
    std::string why_unknown;     // empty: it is known
};

// Finds out by giving the model more clients than it can take: with the limits of this program where it has
// one of its own, else with small limits of processes, addresses or descriptors.
[[nodiscard]] stop find_stop(const model& which);

}  // namespace io_models
