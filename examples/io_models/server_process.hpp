// SPDX-License-Identifier: MIT
// server_process: a model that serves in a process of its own, so that its CPU time and its memory can be
// told from those of the load. It ends, with all its children, when this object does or when this program
// does, however that ends.
#pragma once

#include "model.hpp"

#include <leat/fd.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/types.h>

namespace io_models {

// A socket that listens at 127.0.0.1, with a long queue; port 0: a free one. Throws std::system_error.
[[nodiscard]] leat::fd listen_on(int port);
[[nodiscard]] sockaddr_in place_of(int listener);

// What the server may take; 0: what this program may.
struct allowance {
    std::size_t descriptors = 0;
    std::size_t processes = 0;      // besides those that are there
    std::size_t address_space = 0;  // in bytes, besides what it has when it begins
};

class server_process {
public:
    explicit server_process(const model& which, allowance most = {});
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    ~server_process();

    [[nodiscard]] const sockaddr_in& place() const { return place_; }

    // The server and its children.
    [[nodiscard]] std::vector<pid_t> processes() const;
    // What these have used so far, user and kernel.
    [[nodiscard]] static std::chrono::nanoseconds cpu_time(const std::vector<pid_t>& processes);
    // What they hold: their pages, a page that several share divided by their number, and page tables.
    [[nodiscard]] static std::size_t memory(const std::vector<pid_t>& processes);
    [[nodiscard]] int highest_descriptor() const;
    // What it has written to standard error, in one line.
    [[nodiscard]] std::string complaint() const;

private:
    [[noreturn]] void run(const model& which, int listener, allowance most, pid_t parent) const;

    leat::fd standard_error_;
    sockaddr_in place_{};
    pid_t pid_ = -1;
};

}  // namespace io_models
