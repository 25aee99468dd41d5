// SPDX-License-Identifier: MIT
// load: many clients in one thread, on epoll. Each has one message of 64 bytes under way at most; every byte
// of every reply is checked.
#pragma once

#include <leat/fd.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include <netinet/in.h>

namespace io_models {

using clock = std::chrono::steady_clock;

class load {
public:
    load(const sockaddr_in& server, int clients);

    // Connects all; each sends a message and waits for its reply. Gives up when no reply has come for so
    // long. Returns how many were answered: if not all, the load can do no more.
    [[nodiscard]] int connect_all(clock::duration patience);
    // Whether the server has closed a connection.
    [[nodiscard]] bool was_refused() const { return refused_ > 0; }

    struct result {
        std::uint64_t replies = 0;
        clock::duration elapsed{};
        clock::duration median{}, p99{};
    };
    // For so long `busy` messages at most are under way, from the clients in turn; then waits for the last
    // replies. Throws std::runtime_error when a reply is wrong or missing.
    [[nodiscard]] result run(clock::duration length, int busy);

private:
    static constexpr std::size_t message_size = 64;

    struct client {
        leat::fd socket;
        std::uint64_t serial = 0;  // of its message
        std::size_t received = 0;
        clock::time_point sent_at;
    };
    enum class reply { none, whole, lost };

    bool connect(std::size_t index);
    bool send_message(client& sender);
    reply receive(client& receiver);
    bool take_replies(clock::duration patience, std::vector<std::size_t>& answered);
    result summarize(clock::duration elapsed);

    sockaddr_in server_;
    leat::fd poller_;
    std::vector<client> clients_;
    std::size_t refused_ = 0;
    std::uint64_t serial_ = 0;
    clock::time_point now_;                 // when the last replies came
    std::vector<std::uint32_t> latencies_;  // in ns, of one run
};

}  // namespace io_models
