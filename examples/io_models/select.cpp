// SPDX-License-Identifier: MIT
// select: one thread waits for all. A set of descriptors is an array of FD_SETSIZE bits, 1024 in glibc:
// FD_SET of a greater one writes behind the array, which is memory of something else. So such a client must
// be refused. And every call copies three sets, and looks at each descriptor up to the highest.
#include "connection.hpp"
#include "model.hpp"
#include "sockets.hpp"

#include <algorithm>
#include <vector>

#include <sys/select.h>

namespace io_models {

namespace {

// True: the server is full.
bool accept_into(std::vector<connection>& connections, int listener) {
    accepted next = accept_client(listener, true);
    if (next.client.get() >= FD_SETSIZE) {
        tell_refusal("descriptor " + std::to_string(next.client.get()) + " does not fit into an fd_set");
    } else if (next.client) {
        connections.emplace_back(std::move(next.client));
    }
    return next.full;
}

}  // namespace

void serve_select(int listener) {
    make_non_blocking(listener);
    std::vector<connection> connections;
    for (bool full = false;;) {
        fd_set receivable, sendable;
        FD_ZERO(&receivable);
        FD_ZERO(&sendable);
        if (!full) {
            FD_SET(listener, &receivable);
        }
        int highest = listener;
        for (const connection& each : connections) {
            FD_SET(each.descriptor(), each.waits_to_send() ? &sendable : &receivable);
            highest = std::max(highest, each.descriptor());
        }
        if (::select(highest + 1, &receivable, &sendable, nullptr, nullptr) < 0) {
            fail("select");
        }
        const auto is_gone = [&](connection& each) {
            const int client = each.descriptor();
            const bool ready = FD_ISSET(client, &receivable) || FD_ISSET(client, &sendable);
            return ready && each.step() == step_result::gone;
        };
        if (std::erase_if(connections, is_gone) > 0) {
            full = false;
        }
        if (FD_ISSET(listener, &receivable)) {
            full = accept_into(connections, listener);
        }
    }
}

}  // namespace io_models
